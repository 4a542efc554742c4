// Below the CPU chart: marks of what happened, each with its title. A click shows the moment.

import { iso, read, seconds } from "./api.js";
import { element } from "./dom.js";
import { duration, moment } from "./formats.js";
import { gettext, interpolate } from "./messages.js";
import { pickMoment } from "./state.js";

const MOST_EVENTS = 200;

/** @returns {Record<string, string>} what the kinds are called */
const labels = () => ({
  reboot: gettext("reboot"),
  unclean_stop: gettext("unclean stop"),
  gap: gettext("gap"),
  clock_step: gettext("clock step"),
  oom_kill: gettext("out of memory"),
  damage: gettext("damaged database"),
  file_replaced: gettext("database replaced"),
  mark: gettext("mark"),
  alert: gettext("alert"),
  read_only: gettext("read-only file system"),
  unit_failed: gettext("failed unit"),
});

export class EventMarks {
  /** @param {import("./card.js").Card} card that they belong to */
  constructor(card) {
    this.list = element("ul", { class: "events", "aria-label": gettext("What happened") });
    this.list.hidden = true;
    card.node.append(this.list);
    this.forget();
  }

  /** Another stretch or host is shown. */
  forget() {
    /** @type {any[]} */
    this.found = [];
  }

  /** @param {{start: number, end: number}} shown @param {string | undefined} host @param {number} width of a moment that is picked, in seconds */
  async load(shown, host, width, signal) {
    const query = { start: iso(shown.start), end: iso(shown.end), limit: MOST_EVENTS, host };
    this.width = width;
    this.found = (await read("events", query, signal)).results;
  }

  /** @param {{start: number, end: number}} shown */
  show(shown) {
    const visible = this.found.filter((event) => seconds(event.started_at) <= shown.end && seconds(event.ended_at ?? event.started_at) >= shown.start);
    this.list.hidden = visible.length === 0;
    this.list.replaceChildren(...visible.map((event) => mark(event, shown, this.width)));
  }
}

function mark(event, shown, width) {
  const share = (time) => Math.min(1, Math.max(0, (time - shown.start) / (shown.end - shown.start)));
  const start = seconds(event.started_at);
  const end = event.ended_at ? seconds(event.ended_at) : start;
  const button = element("button", { type: "button", title: inWords(event, start, end), class: event.severity });
  button.setAttribute("aria-label", button.title);
  button.addEventListener("click", () => pickMoment({ at: start, width }, shown));
  const item = element("li", {}, button);
  item.style.left = `${share(start) * 100}%`;
  item.style.width = `${(share(end) - share(start)) * 100}%`;
  return item;
}

function inWords(event, start, end) {
  const words = { kind: labels()[event.kind] ?? event.kind, title: event.title, time: moment(start), duration: duration(end - start) };
  return interpolate(end > start ? gettext("%(time)s, for %(duration)s — %(kind)s: %(title)s") : gettext("%(time)s — %(kind)s: %(title)s"), words);
}
