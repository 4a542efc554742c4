// Values as people read them, by the unit that a field has in the catalogue of families.

import { gettext, interpolate } from "./messages.js";
import { zone } from "./zone.js";

const language = document.documentElement.lang;
const EMPTY = "–";
const BINARY = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const SI = ["B", "kB", "MB", "GB", "TB", "PB"];

const numbers = [0, 1, 2].map(
  (digits) => new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits }),
);
const plainNumber = new Intl.NumberFormat(language, { maximumFractionDigits: 2 });
const threeDigits = (value) => numbers[value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2].format(value);

function scaled(value, base, units, format = threeDigits) {
  let power = 0;
  let rest = Math.abs(value);
  while (rest >= base && power < units.length - 1) {
    rest /= base;
    power += 1;
  }
  const text = power === 0 ? numbers[0].format(rest) : format(rest);
  return `${value < 0 ? "-" : ""}${text} ${units[power]}`;
}

/** By the units of the API; `load` is the page's own. @type {Record<string, (value: number) => string>} */
const BY_UNIT = {
  load: (value) => numbers[2].format(value),
  percent: (value) => `${numbers[1].format(value)}%`,
  bytes: (value) => scaled(value, 1024, BINARY),
  bytes_per_second: (value) => `${scaled(value, 1000, SI)}/s`,
  per_second: (value) => `${plainNumber.format(value >= 100 ? Math.round(value) : value)}/s`,
  seconds: (value) => `${plainNumber.format(value)} s`,
  celsius: (value) => `${numbers[1].format(value)} °C`,
  mhz: (value) => `${numbers[0].format(value)} MHz`,
  mbps: (value) => `${numbers[0].format(value)} Mbit/s`,
};

/** @param {number | null | undefined} value @param {string} unit */
export function measured(value, unit) {
  if (value === null || value === undefined) return EMPTY;
  const form = BY_UNIT[unit];
  return form ? form(value) : `${plainNumber.format(value)}${unit ? ` ${unit.replaceAll("_", " ")}` : ""}`;
}

/** On an axis, where round values need no decimals. @param {number} value @param {string} unit */
export function onAxis(value, unit) {
  if (unit === "percent") return `${plainNumber.format(value)}%`;
  if (unit === "bytes") return scaled(value, 1024, BINARY, plainNumber.format);
  if (unit === "bytes_per_second") return `${scaled(value, 1000, SI, plainNumber.format)}/s`;
  return unit === "load" ? plainNumber.format(value) : measured(value, unit);
}

/** How many there are. @param {any} host */
export const cores = (host) => (host?.logical_cores ? interpolate(gettext("cores: %(count)s"), { count: host.logical_cores }) : "");

export const integer = (value) => (value === null || value === undefined ? EMPTY : numbers[0].format(value));

const dateFormat = (options) => new Intl.DateTimeFormat(language, { hourCycle: "h23", timeZone: zone, ...options });
const TIME = { hour: "2-digit", minute: "2-digit" };
const DAY = { month: "short", day: "numeric" };
const forms = {
  minute: dateFormat(TIME),
  second: dateFormat({ ...TIME, second: "2-digit" }),
  day: dateFormat(DAY),
  month: dateFormat({ year: "numeric", month: "short" }),
  dayOfYear: dateFormat({ year: "numeric", ...DAY }),
  year: dateFormat({ year: "numeric" }),
};
const MIDNIGHT = dateFormat({ ...TIME, timeZone: "UTC" }).format(0);

/** @param {number} seconds since the epoch */
export const moment = (seconds) => `${day(seconds)} ${forms.second.format(seconds * 1000)}`;

/** Its day, with the year where it is another. */
function day(seconds) {
  const isThisYear = forms.year.format(seconds * 1000) === forms.year.format();
  return (isThisYear ? forms.day : forms.dayOfYear).format(seconds * 1000);
}

/** A label below a time axis, as long as the distance between two of them asks for. @param {number} seconds @param {number} distance */
export function timeLabel(seconds, distance) {
  if (distance < 60) return forms.second.format(seconds * 1000);
  const time = new Date(seconds * 1000);
  const isMidnight = forms.minute.format(time) === MIDNIGHT;
  if (distance >= 28 * 86400) return forms.month.format(time);
  return (distance >= 86400 || isMidnight ? forms.day : forms.minute).format(time);
}

/** From one moment to another; the day once where it is the same. */
export const stretch = (start, end) => `${moment(start)} – ${day(start) === day(end) ? forms.second.format(end * 1000) : moment(end)}`;

/** @type {[number, string][]} */
const UNITS = [
  [86400, "day"],
  [3600, "hour"],
  [60, "minute"],
  [1, "second"],
];
const unitFormats = Object.fromEntries(
  UNITS.map(([, unit]) => [unit, new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short" })]),
);

/** A length of time by its two highest parts. @param {number} seconds */
export function duration(seconds) {
  let rest = Math.max(0, Math.round(seconds));
  const parts = [];
  for (const [length, unit] of UNITS) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count) parts.push(unitFormats[unit].format(count));
    else if (parts.length) break;
    if (parts.length === 2) break;
  }
  return parts.join(" ") || unitFormats.second.format(0);
}

/** How wide a point is. @param {number} seconds @param {boolean} isMean */
export function pointWidth(seconds, isMean) {
  const text = isMean ? gettext("a point: mean of %(width)s, its band from the lowest to the highest value") : gettext("a point: %(width)s");
  return interpolate(text, { width: duration(seconds) });
}
