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
/** By what processes are ranked, as the API has it; the first is the default. */
const ORDERS = ["cpu", "memory", "io"];
const NO_MOMENT = { at: null, width: null };

/**
 * @typedef {object} State
 * @property {string} range the last so and so long, while `from` is null
 * @property {number | null} from first second shown
 * @property {number | null} to last second shown
 * @property {number | null} at the moment that was picked
 * @property {number | null} width of the bucket that was picked, in seconds; null is the tick of that moment
 * @property {string} order by what the processes are ranked
 * @property {string} filter what the processes are searched for
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
  const end = state.at === null ? newest : Math.min(newest, middleOfMoment() + span / 2);
  return { start: end - span, end };
}

/** Of the tick or bucket that is picked. */
export const middleOfMoment = () => state.at + (state.width ?? 0) / 2;

/** Show so much time: of the past what is around the moment, or the middle, that is shown; else the newest. @param {string} range */
export function showRange(range, shown) {
  if (!isHistory()) return change({ range });
  if (state.at !== null) return change({ range, from: null, to: null });
  const middle = (shown.start + shown.end) / 2;
  return showStretch(middle - RANGES[range] / 2, middle + RANGES[range] / 2);
}

/** Show a stretch of time; the moment stays picked while it lies within. @param {number} start @param {number} end */
export function showStretch(start, end, { keepsMoment = false } = {}) {
  const middle = (start + end) / 2;
  const span = Math.min(LONGEST_SECONDS, Math.max(SHORTEST_SECONDS, end - start));
  // Nothing is known of the future.
  const to = Math.round(Math.min(middle + span / 2, now()));
  change({ from: Math.round(to - span), to, ...(keepsMoment ? {} : NO_MOMENT) });
}

/**
 * Pick a tick or a bucket; the charts stay where they are.
 * @param {{at: number, width: number | null}} moment @param {{start: number, end: number}} shown
 * @param {string} [order] by what its processes are ranked
 */
export function pickMoment({ at, width }, shown, order = state.order) {
  change({ at: Math.round(at), width, order, from: Math.round(shown.start), to: Math.round(shown.end) });
}

/** Show now, and follow it. */
export const backToLive = () => change({ from: null, to: null, ...NO_MOMENT, paused: false });

function fromAddress(query) {
  const only = [...query].filter(([name]) => name.startsWith("only."));
  const [from, to] = [moment(query.get("from")), moment(query.get("to"))];
  const isStretch = from !== null && to !== null && to > from;
  const at = moment(query.get("at"));
  return {
    range: query.get("range") in RANGES ? query.get("range") : "15m",
    from: isStretch ? from : null,
    to: isStretch ? to : null,
    at,
    width: at === null ? null : lengthOf(query.get("width")),
    order: ORDERS.includes(query.get("order")) ? query.get("order") : ORDERS[0],
    filter: query.get("filter") ?? "",
    paused: query.has("paused"),
    host: query.get("host") || null,
    process: /^\d+$/.test(query.get("process") ?? "") ? Number(query.get("process")) : null,
    only: Object.fromEntries(only.map(([name, value]) => [name.slice(5), value])),
  };
}

/** A length of time in the address. */
function lengthOf(text) {
  const found = /^\d{1,9}$/.test(text ?? "") ? Number(text) : 0;
  return found > 0 && found <= LONGEST_SECONDS ? found : null;
}

/** A moment in the address, as `toAddress` writes it; the server leads any other form to this one. */
function moment(text) {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text ?? "")) return null;
  const found = seconds(text);
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
  if (state.width !== null) query.set("width", String(state.width));
  if (state.order !== ORDERS[0]) query.set("order", state.order);
  if (state.filter) query.set("filter", state.filter);
  if (state.process !== null) query.set("process", String(state.process));
  if (state.paused) query.set("paused", "");
  for (const [panel, thing] of Object.entries(state.only)) query.set(`only.${panel}`, thing);
  return `?${query.toString().replaceAll("%3A", ":")}`;
}
