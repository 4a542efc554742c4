// The charts that are laid out by hand; what they do not show gets a chart by itself (derived.js).

import { gettext } from "./messages.js";
import { state } from "./state.js";
import { amount } from "./things.js";

/**
 * @typedef {object} Line
 * @property {string} label
 * @property {string} color name of a custom property of the style sheet
 * @property {string} family
 * @property {(point: any) => number | null} value
 * @property {(point: any) => number | null} [peak] the maximum, where a point is a mean
 * @property {boolean} [down] drawn below zero
 * @property {boolean} [dashed]
 * @property {boolean} [apart] a line of its own beside a stack
 *
 * @typedef {object} Panel
 * @property {string} id
 * @property {string} title
 * @property {string} [help] what it means; of the panels that are laid out by hand help.js knows it
 * @property {"stack" | "lines" | "mirror" | "heat" | "space"} form
 * @property {string} unit
 * @property {Record<string, string[]>} fields by family: what is asked of the API
 * @property {Line[]} lines
 * @property {Line} [peak] of a whole stack
 * @property {(highest: number, points: any[], host: any) => number} [top] end of the axis
 * @property {(host: any) => {value: number, label: string} | null} [reference] a dashed line
 * @property {{family: string, collection: string, label: string, all: string}} [things] what can be looked at one by one
 * @property {boolean} [hasLane]
 * @property {boolean} [isFurther] below "More"
 * @property {boolean} [fillsLines]
 */

const field = (family, name) => ({
  family,
  value: (point) => point[name] ?? null,
  peak: (point) => point[`${name}_max`] ?? null,
});

/** A line of a field of a list: the chosen thing's, or the total. */
const listed = (panel, family, collection, label, name) => ({
  family,
  value: (point) => amount(point, collection, label, name, state.only[panel]),
  peak: (point) => {
    const peak = amount(point, collection, label, `${name}_max`, state.only[panel], { isMaximum: true });
    return peak === null ? null : Math.max(peak, amount(point, collection, label, name, state.only[panel]) ?? 0);
  },
});

const sum = (...values) => (values.every((value) => value == null) ? null : values.reduce((a, b) => a + (b ?? 0), 0));
const HUNDRED = () => 100;

/** @returns {Panel[]} */
export const handmade = () => [cpu(), cores(), memory(), load(), disk(), network(), pressure(), space()];

function cpu() {
  return {
    id: "cpu",
    title: gettext("CPU usage"),
    form: "stack",
    unit: "percent",
    fields: { cpu: ["percent", "user_percent", "system_percent", "iowait_percent", "steal_percent"] },
    lines: [
      { label: gettext("user"), color: "--blue", ...field("cpu", "user_percent") },
      { label: gettext("system"), color: "--orange", ...field("cpu", "system_percent") },
      { label: gettext("I/O wait"), color: "--violet", ...field("cpu", "iowait_percent") },
      { label: gettext("steal"), color: "--yellow", ...field("cpu", "steal_percent") },
    ],
    peak: { label: gettext("peak"), color: "--ink", family: "cpu", value: (point) => point.percent_max ?? null },
    top: HUNDRED,
    hasLane: true,
  };
}

function cores() {
  return {
    id: "cores",
    title: gettext("CPU per core"),
    form: "heat",
    unit: "percent",
    fields: { cpu: ["per_core"] },
    lines: [{ label: gettext("core"), color: "--blue", family: "cpu", value: (point) => point.per_core ?? null }],
  };
}

function memory() {
  return {
    id: "memory",
    title: gettext("Memory"),
    form: "stack",
    unit: "bytes",
    fields: {
      memory: ["total_bytes", "used_bytes", "cached_bytes", "buffers_bytes", "swap_total_bytes", "swap_used_bytes", "percent"],
    },
    lines: [
      { label: gettext("used"), color: "--blue", ...field("memory", "used_bytes") },
      { label: gettext("cache"), color: "--green", family: "memory", value: (point) => sum(point.cached_bytes, point.buffers_bytes) },
      {
        label: gettext("swap"),
        color: "--red",
        family: "memory",
        value: (point) => (point.swap_total_bytes ? point.swap_used_bytes : null),
        apart: true,
        dashed: true,
      },
    ],
    peak: { label: gettext("used, peak"), color: "--ink", family: "memory", value: (point) => point.used_bytes_max ?? null },
    top: (highest, points) => points.findLast((point) => point?.total_bytes)?.total_bytes ?? highest,
  };
}

function load() {
  return {
    id: "load",
    title: gettext("Load average"),
    form: "lines",
    unit: "",
    fields: { cpu: ["load_1", "load_5", "load_15"] },
    lines: [
      { label: gettext("1 min"), color: "--blue", ...field("cpu", "load_1") },
      { label: gettext("5 min"), color: "--orange", family: "cpu", value: (point) => point.load_5 ?? null },
      { label: gettext("15 min"), color: "--green", family: "cpu", value: (point) => point.load_15 ?? null },
    ],
    top: (highest, _points, host) => Math.max(highest, host?.logical_cores ?? 1) * 1.1,
    reference: (host) => (host?.logical_cores ? { value: host.logical_cores, label: gettext("cores") } : null),
  };
}

function disk() {
  const of = (name) => listed("disk", "disk", "devices", "device", name);
  return {
    id: "disk",
    title: gettext("Disk I/O"),
    form: "mirror",
    unit: "bytes_per_second",
    fields: { disk: ["read_bytes_per_second", "write_bytes_per_second"] },
    lines: [
      { label: gettext("read"), color: "--blue", ...of("read_bytes_per_second") },
      { label: gettext("written"), color: "--orange", down: true, ...of("write_bytes_per_second") },
    ],
    top: (highest) => Math.max(1e4, highest * 1.08),
    things: { family: "disk", collection: "devices", label: "device", all: gettext("All disks") },
  };
}

function network() {
  const of = (name) => listed("network", "network", "interfaces", "interface", name);
  return {
    id: "network",
    title: gettext("Network"),
    form: "mirror",
    unit: "bytes_per_second",
    fields: { network: ["received_bytes_per_second", "sent_bytes_per_second"] },
    lines: [
      { label: gettext("received"), color: "--green", ...of("received_bytes_per_second") },
      { label: gettext("sent"), color: "--violet", down: true, ...of("sent_bytes_per_second") },
    ],
    top: (highest) => Math.max(1e4, highest * 1.08),
    things: { family: "network", collection: "interfaces", label: "interface", all: gettext("All interfaces") },
  };
}

function pressure() {
  return {
    id: "pressure",
    title: gettext("Pressure"),
    form: "lines",
    unit: "percent",
    fields: { cpu: ["pressure_some_percent"], memory: ["pressure_some_percent"], disk: ["pressure_some_percent"] },
    lines: [
      { label: gettext("CPU"), color: "--blue", ...field("cpu", "pressure_some_percent") },
      { label: gettext("memory"), color: "--orange", ...field("memory", "pressure_some_percent") },
      { label: gettext("disk"), color: "--green", ...field("disk", "pressure_some_percent") },
    ],
    top: (highest) => Math.min(100, Math.max(5, highest * 1.1)),
  };
}

function space() {
  return {
    id: "space",
    title: gettext("Disk space"),
    form: "space",
    unit: "bytes",
    fields: { disk: ["total_bytes", "used_bytes", "free_bytes", "percent", "inodes_percent"] },
    lines: [],
  };
}
