// The charts that are laid out by hand; what they do not show gets a chart by itself (derived.js).

import { cores } from "./formats.js";
import { gettext } from "./messages.js";
import { state } from "./state.js";
import { amount } from "./things.js";

/**
 * @typedef {object} Line
 * @property {string} label
 * @property {string} color name of a custom property of the style sheet
 * @property {string} family
 * @property {(point: any) => number | null} value
 * @property {(point: any) => number | null} [low] the lowest value, where a point is a mean
 * @property {(point: any) => number | null} [high] the highest
 * @property {boolean} [down] drawn below zero
 * @property {boolean} [dashed]
 * @property {boolean} [apart] a line of its own beside a stack
 * @property {boolean} [isOptional] left out of a stack where there is nothing of it
 *
 * @typedef {object} Panel
 * @property {string} id
 * @property {string} title
 * @property {string} [help] what it means; of the panels that are laid out by hand help.js knows it
 * @property {"stack" | "lines" | "mirror" | "heat" | "space"} form
 * @property {string} unit
 * @property {Record<string, string[]>} fields by family: what is asked of the API
 * @property {Line[]} lines
 * @property {Omit<Line, "label">} [band] what a band over a stack is about
 * @property {(highest: number, points: any[], host: any) => number} [top] end of the axis
 * @property {(host: any) => {value: number, label: string} | null} [reference] a dashed line
 * @property {{family: string, collection: string, label: string, all: string}} [things] what can be looked at one by one
 * @property {boolean} [hasLane]
 * @property {string} [order] by what the processes of a moment are ranked that is picked in it
 * @property {boolean} [isFurther] below "More"
 * @property {boolean} [isOptional] not every system has it: hidden where there is nothing
 */

const field = (family, name) => ({
  family,
  value: (point) => point[name] ?? null,
  low: (point) => point[`${name}_min`] ?? null,
  high: (point) => point[`${name}_max`] ?? null,
});

/** What is left of a hundred: where the cores were idle the least, they were at their busiest. */
function busy() {
  const { family, value, low, high } = field("cpu", "idle_percent");
  const rest = (read) => (point) => (read(point) === null ? null : 100 - read(point));
  return { family, value: rest(value), low: rest(high), high: rest(low) };
}

/**
 * A line of a field of a list: the chosen thing's, or the total. When each thing was at its highest is not known: the
 * total reached the highest of them at the least, and never fell below the sum of the lowest.
 */
function listed(panel, family, collection, label, name) {
  const read = (suffix, options) => (point) => amount(point, collection, label, name + suffix, state.only[panel], options);
  const [value, high] = [read(""), read("_max", { isMaximum: true })];
  return { family, value, low: read("_min"), high: (point) => (high(point) === null ? null : Math.max(high(point), value(point) ?? 0)) };
}

const sum = (...values) => (values.every((value) => value == null) ? null : values.reduce((a, b) => a + (b ?? 0), 0));
const HUNDRED = () => 100;

/** @returns {Panel[]} */
export const handmade = () => [cpu(), perCore(), memory(), load(), disk(), network(), connections(), trouble(), pressure()];

/** @returns {Panel} */
function cpu() {
  return {
    id: "cpu",
    title: gettext("CPU usage"),
    form: "stack",
    unit: "percent",
    fields: { cpu: ["percent", "idle_percent", "user_percent", "system_percent", "iowait_percent", "steal_percent"] },
    lines: [
      { label: gettext("user"), color: "--blue", ...field("cpu", "user_percent") },
      { label: gettext("system"), color: "--orange", ...field("cpu", "system_percent") },
      { label: gettext("I/O wait"), color: "--violet", ...field("cpu", "iowait_percent") },
      { label: gettext("steal"), color: "--yellow", ...field("cpu", "steal_percent") },
    ],
    band: { color: "--ink", ...busy() },
    top: HUNDRED,
    hasLane: true,
    order: "cpu",
  };
}

/** @returns {Panel} */
function perCore() {
  return {
    id: "cores",
    title: gettext("CPU per core"),
    form: "heat",
    unit: "percent",
    fields: { cpu: ["per_core"] },
    lines: [{ label: gettext("core"), color: "--blue", ...field("cpu", "per_core") }],
    order: "cpu",
  };
}

/** @returns {Panel} */
function memory() {
  return {
    id: "memory",
    title: gettext("Memory"),
    form: "stack",
    unit: "bytes",
    order: "memory",
    fields: {
      memory: ["total_bytes", "used_bytes", "cached_bytes", "buffers_bytes", "zfs_arc_bytes", "swap_total_bytes", "swap_used_bytes", "percent"],
    },
    lines: [
      { label: gettext("used"), color: "--blue", ...field("memory", "used_bytes") },
      { label: gettext("cache"), color: "--green", family: "memory", value: (point) => sum(point.cached_bytes, point.buffers_bytes) },
      { label: gettext("ZFS cache"), color: "--yellow", ...field("memory", "zfs_arc_bytes"), isOptional: true },
      {
        label: gettext("swap"),
        color: "--red",
        family: "memory",
        value: (point) => (point.swap_total_bytes ? point.swap_used_bytes : null),
        apart: true,
        dashed: true,
      },
    ],
    band: { color: "--ink", ...field("memory", "used_bytes") },
    // As much as there was: memory may have been taken out since, and more may be swapped out than there is memory.
    top: (highest, points) => points.reduce((most, point) => Math.max(most, point?.total_bytes ?? 0), highest) || 1,
  };
}

/** @returns {Panel} */
function load() {
  return {
    id: "load",
    title: gettext("Load average"),
    form: "lines",
    unit: "load",
    order: "cpu",
    fields: { cpu: ["load_1", "load_5", "load_15"] },
    lines: [
      { label: gettext("1 min"), color: "--blue", ...field("cpu", "load_1") },
      { label: gettext("5 min"), color: "--orange", family: "cpu", value: (point) => point.load_5 ?? null },
      { label: gettext("15 min"), color: "--green", family: "cpu", value: (point) => point.load_15 ?? null },
    ],
    top: (highest, _points, host) => Math.max(highest, host?.logical_cores ?? 1) * 1.1,
    reference: (host) => (host?.logical_cores ? { value: host.logical_cores, label: cores(host) } : null),
  };
}

/** @returns {Panel} */
function disk() {
  const of = (name) => listed("disk", "disk", "devices", "device", name);
  return {
    id: "disk",
    title: gettext("Disk I/O"),
    form: "mirror",
    unit: "bytes_per_second",
    order: "io",
    fields: { disk: ["read_bytes_per_second", "write_bytes_per_second", "is_counted"] },
    lines: [
      { label: gettext("read"), color: "--blue", ...of("read_bytes_per_second") },
      { label: gettext("written"), color: "--orange", down: true, ...of("write_bytes_per_second") },
    ],
    top: (highest) => Math.max(1e4, highest * 1.08),
    things: { family: "disk", collection: "devices", label: "device", all: gettext("All disks") },
  };
}

/** @returns {Panel} */
function network() {
  const of = (name) => listed("network", "network", "interfaces", "interface", name);
  return {
    id: "network",
    title: gettext("Network"),
    form: "mirror",
    unit: "bytes_per_second",
    fields: { network: ["received_bytes_per_second", "sent_bytes_per_second", "is_counted"] },
    lines: [
      { label: gettext("received"), color: "--green", ...of("received_bytes_per_second") },
      { label: gettext("sent"), color: "--violet", down: true, ...of("sent_bytes_per_second") },
    ],
    top: (highest) => Math.max(1e4, highest * 1.08),
    things: { family: "network", collection: "interfaces", label: "interface", all: gettext("All interfaces") },
  };
}

/** @returns {Panel} */
function connections() {
  return {
    id: "connections",
    title: gettext("Connections"),
    form: "lines",
    unit: "",
    isOptional: true,
    fields: { sockets: ["tcp_established", "tcp_time_wait", "udp_in_use"] },
    lines: [
      { label: gettext("TCP, established"), color: "--blue", ...field("sockets", "tcp_established") },
      { label: gettext("TCP, closing"), color: "--orange", ...field("sockets", "tcp_time_wait") },
      { label: gettext("UDP"), color: "--green", ...field("sockets", "udp_in_use") },
    ],
    top: (highest) => Math.max(10, highest * 1.1),
  };
}

/** @returns {Panel} */
function trouble() {
  return {
    id: "errors",
    title: gettext("Errors of TCP and UDP"),
    form: "lines",
    unit: "per_second",
    isOptional: true,
    fields: { sockets: ["tcp_retransmits_per_second", "listen_drops_per_second", "udp_errors_per_second"] },
    lines: [
      { label: gettext("sent again"), color: "--blue", ...field("sockets", "tcp_retransmits_per_second") },
      { label: gettext("turned away"), color: "--orange", ...field("sockets", "listen_drops_per_second") },
      { label: gettext("UDP errors"), color: "--green", ...field("sockets", "udp_errors_per_second") },
    ],
    top: (highest) => Math.max(1, highest * 1.1),
  };
}

/** @returns {Panel} */
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
