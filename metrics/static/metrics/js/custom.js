// The form for a stretch of time of one's own.

import { byId } from "./dom.js";
import { gettext } from "./messages.js";
import { showStretch } from "./state.js";

const [box, form, from, to] = ["custom", "custom-form", "custom-from", "custom-to"].map(byId);

/** @param {{start: number, end: number}} shown what the form begins with */
export function open(shown) {
  from.value = localText(shown.start);
  to.value = localText(shown.end);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const [start, end] = [from, to].map((input) => new Date(input.value).getTime() / 1000);
  to.setCustomValidity(start < end ? "" : gettext("The end has to be after the start."));
  if (!form.reportValidity()) return;
  box.open = false;
  showStretch(start, end);
});
to.addEventListener("input", () => to.setCustomValidity(""));
box.addEventListener("keydown", (event) => {
  if (event.key === "Escape") box.open = false;
});

/** A moment as <input type=datetime-local> takes it. @param {number} time */
function localText(time) {
  const offset = new Date(time * 1000).getTimezoneOffset() * 60;
  return new Date((Math.round(time) - offset) * 1000).toISOString().slice(0, 19);
}
