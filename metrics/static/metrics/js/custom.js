// The form for a stretch of time of one's own.

import { byId } from "./dom.js";
import { gettext } from "./messages.js";
import { showStretch } from "./state.js";
import { fromWallTime, wallTime } from "./zone.js";

const [box, form, from, to] = ["custom", "custom-form", "custom-from", "custom-to"].map(byId);

/** @param {{start: number, end: number}} shown what the form begins with */
export function open(shown) {
  from.value = wallTime(Math.round(shown.start));
  to.value = wallTime(Math.round(shown.end));
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const [start, end] = [from, to].map((input) => fromWallTime(input.value));
  to.setCustomValidity(start < end ? "" : gettext("The end has to be after the start."));
  if (!form.reportValidity()) return;
  box.open = false;
  showStretch(start, end);
});
to.addEventListener("input", () => to.setCustomValidity(""));
box.addEventListener("keydown", (event) => {
  if (event.key === "Escape") box.open = false;
});
