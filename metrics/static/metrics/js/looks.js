// How every chart looks, here and in the admin.

import { timeLabel } from "./formats.js";

/** The colours of lines, by their names in colors.css, neighbours first. */
export const COLORS = ["--blue", "--orange", "--green", "--violet", "--yellow", "--red"];
export const LINE = { width: 1.5, points: { show: false } };
// The room of the axes, and beyond the last moment, as the style sheet's .overlay leaves it too.
const [LEFT, BOTTOM] = [62, 24];
export const RIGHT = 8;
const FONT = "11px system-ui, sans-serif";
const ruler = document.createElement("canvas").getContext("2d");

/** The axis of the time and that of the values. @param {(name: string) => string} color @param {object} values what is peculiar to the second */
export function axes(color, values) {
  const look = { stroke: color("--soft"), grid: { stroke: color("--grid"), width: 1 }, ticks: { show: false }, font: FONT, gap: 5 };
  const labels = (plot, times, _axis, _space, distance) => times.map((time) => whole(plot, time, timeLabel(time, distance)));
  return [{ ...look, size: BOTTOM, space: 70, values: labels }, { ...look, size: LEFT, space: 30, ...values }];
}

/** A label, or nothing where the edge of the drawing would cut it. */
function whole(plot, time, label) {
  const { min, max } = plot.scales.x;
  const room = (plot.width - LEFT - RIGHT) * (1 - (time - min) / (max - min || 1)) + RIGHT;
  ruler.font = FONT;
  return ruler.measureText(label).width / 2 <= room ? label : "";
}
