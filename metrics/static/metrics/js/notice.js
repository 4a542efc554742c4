// What went wrong, or is not there yet, in a sentence above the charts.

import { connection } from "./api.js";
import { byId, element } from "./dom.js";
import { moment } from "./formats.js";
import { gettext, interpolate } from "./messages.js";

/** @param {"waiting" | "error" | "stale"} kind @param {string} text @param {HTMLElement | null} [action] */
export function showNotice(kind, text, action = null) {
  const node = byId("notice");
  if (!node.hidden && node.dataset.kind === kind && node.dataset.text === text) return;
  node.dataset.kind = kind;
  node.dataset.text = text;
  node.replaceChildren(element("p", {}, text), ...(action ? [action] : []));
  node.hidden = false;
}

/** An error of the API. @param {import("./api.js").ApiError} error @param {number} waitSeconds until the next attempt */
export function showError(error, waitSeconds) {
  if (error.status === 401 || error.status === 403) {
    const signIn = new URL(document.documentElement.dataset.signIn, location.href);
    signIn.searchParams.set("next", location.pathname + location.search);
    const link = element("a", { href: signIn.pathname + signIn.search }, gettext("Sign in"));
    return showNotice("error", error.detail || error.message, link);
  }
  if (error.status === 503) return showNotice("waiting", error.message);
  const again = interpolate(gettext("Trying again in %(seconds)s s."), { seconds: Math.round(waitSeconds) });
  return showNotice("error", `${error.status === 0 ? silence() : error.message} ${again}`);
}

function silence() {
  if (connection.heardAt === null) return gettext("The server does not answer.");
  return interpolate(gettext("No connection to the server since %(time)s."), { time: moment(connection.heardAt) });
}

export const hideNotice = () => (byId("notice").hidden = true);
