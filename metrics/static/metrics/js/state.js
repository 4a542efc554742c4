// What is shown. All of it is in the address of the page, so that a moment can be sent to somebody.

import { iso, now, seconds } from "./api.js";

/** The ranges that have a button, in seconds. @type {Record<string, number>} */
export const RANGES = {
  "5m": 300,
  "15m": 900,
  "1h": 3600,
  "6h": 21600,
  "24h": 86400,
  "7d": 604800,
  "30d": 2592000,
  "1y": 31536000,
};
const SHORTEST_SECONDS = 20;
const LONGEST_SECONDS = 10 * 366 * 86400;

/**
 * @typedef {object} State
 * @property {string} range the last so and so long, while `from` is null
 * @property {number | null} from first second shown
 * @property {number | null} to last second shown
 * @property {number | null} at the moment that was picked
 * @property {boolean} paused
 * @property {string | null} host null is this machine
 * @property {number | null} process the process whose lines are shown
 * @property {Record<string, string>} only a thing of a panel, such as a disk, by the panel's name
 */

/** @type {State} */
export const state = fromAddress(new URLSearchParams(location.search));
/** @type {Set<(changed: Set<string>) => void>} */
const listeners = new Set();

/** @param {(changed: Set<string>) => void} listener called with the names of what changed */
export const onChange = (listener) => listeners.add(listener);

/** Change what is shown; a step in the browser's history unless `replace`. @param {Partial<State>} values */
export function change(values, { replace = false } = {}) {
  const changed = new Set(Object.keys(values).filter((name) => values[name] !== state[name]));
  if (!changed.size) return;
  Object.assign(state, values);
  history[replace ? "replaceState" : "pushState"](null, "", toAddress());
  listeners.forEach((listener) => listener(changed));
}

addEventListener("popstate", () => {
  const before = { ...state };
  Object.assign(state, fromAddress(new URLSearchParams(location.search)));
  const changed = new Set(Object.keys(before).filter((name) => before[name] !== state[name]));
  if (changed.size) listeners.forEach((listener) => listener(changed));
});

/** What the charts wait for after another stretch was chosen. */
export const pending = { load: Promise.resolve() };

/** Whether the past is shown and nothing moves. */
export const isHistory = () => state.from !== null || state.at !== null;

/** The stretch of time to show, given the newest moment there is. @param {number} newest */
export function windowOf(newest) {
  if (state.from !== null && state.to !== null) return { start: state.from, end: state.to };
  const span = RANGES[state.range];
  const end = state.at === null ? newest : Math.min(newest, state.at + span / 2);
  return { start: end - span, end };
}

/** Show a stretch of time; the moment stays picked while it lies within. @param {number} start @param {number} end */
export function showStretch(start, end, { keepsMoment = false } = {}) {
  const middle = (start + end) / 2;
  const span = Math.min(LONGEST_SECONDS, Math.max(SHORTEST_SECONDS, end - start));
  const to = Math.round(Math.min(middle + span / 2, Math.max(now(), start + span)));
  change({ from: Math.round(to - span), to, at: keepsMoment ? state.at : null });
}

/** Pick a moment; the charts stay where they are. @param {number} at @param {{start: number, end: number}} shown */
export function pickMoment(at, shown) {
  change({ at: Math.round(at), from: Math.round(shown.start), to: Math.round(shown.end) });
}

/** Show now, and follow it. */
export const backToLive = () => change({ from: null, to: null, at: null, paused: false });

function fromAddress(query) {
  const only = [...query].filter(([name]) => name.startsWith("only."));
  const [from, to] = [moment(query.get("from")), moment(query.get("to"))];
  const isStretch = from !== null && to !== null && to > from;
  return {
    range: query.get("range") in RANGES ? query.get("range") : "15m",
    from: isStretch ? from : null,
    to: isStretch ? to : null,
    at: moment(query.get("at")),
    paused: query.has("paused"),
    host: query.get("host") || null,
    process: /^\d+$/.test(query.get("process") ?? "") ? Number(query.get("process")) : null,
    only: Object.fromEntries(only.map(([name, value]) => [name.slice(5), value])),
  };
}

/** A moment in the address: ISO 8601, or seconds since the epoch. */
function moment(text) {
  if (!text) return null;
  const found = /^\d+(\.\d+)?$/.test(text) ? Number(text) : seconds(text);
  return Number.isFinite(found) && found > 0 && found < 32503680000 ? Math.round(found) : null;
}

function toAddress() {
  const short = (time) => iso(time).replace(".000Z", "Z");
  const query = new URLSearchParams();
  if (state.host) query.set("host", state.host);
  if (state.from === null) query.set("range", state.range);
  else query.set("from", short(state.from));
  if (state.to !== null) query.set("to", short(state.to));
  if (state.at !== null) query.set("at", short(state.at));
  if (state.process !== null) query.set("process", String(state.process));
  if (state.paused) query.set("paused", "");
  for (const [panel, thing] of Object.entries(state.only)) query.set(`only.${panel}`, thing);
  return `?${query.toString().replaceAll("%3A", ":")}`;
}
