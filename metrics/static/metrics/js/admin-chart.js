// The chart above a list of samples in the admin: what the list shows, as lines.

import { color, element, setText } from "./dom.js";
import { measured, moment, onAxis } from "./formats.js";
import { timeline } from "./gaps.js";
import { COLORS, LINE, axes } from "./looks.js";
import { zonedDate } from "./zone.js";

const HEIGHT = 190;

const figure = document.getElementById("sample-chart");
const data = document.getElementById("sample-chart-data");

function start(chart) {
  const { times, values } = withGaps(chart);
  const cells = chart.names.map(() => element("b"));
  const swatches = chart.names.map((_name, line) => element("i", { class: `swatch ${COLORS[line].slice(2)}` }));
  const when = element("span");
  figure.append(element("figcaption", {}, ...chart.names.map((name, line) => element("span", {}, swatches[line], name, cells[line])), when));
  const show = (place) => {
    cells.forEach((cell, line) => setText(cell, measured(values[line][place], chart.unit)));
    setText(when, moment(times[place]));
  };
  let plot = null;
  const draw = () => {
    plot?.destroy();
    // The palette of the page, which knows no "auto".
    figure.dataset.theme = isDark() ? "dark" : "light";
    plot = new uPlot(options(chart, show, times.length - 1), [times, ...values], figure);
  };
  draw();
  show(times.length - 1);
  new ResizeObserver(() => plot.setSize({ width: width(), height: HEIGHT })).observe(figure);
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}

// What the list beside its filters leaves, which on a tablet is little.
const width = () => Math.max(1, figure.clientWidth - 24);

function isDark() {
  const { theme } = document.documentElement.dataset;
  return theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
}

function options(chart, show, last) {
  const own = (name) => color(name, figure);
  return {
    width: width(),
    height: HEIGHT,
    legend: { show: false },
    tzDate: zonedDate,
    cursor: { y: false, drag: { x: false, y: false } },
    scales: { y: { range: (_plot, low, high) => [Math.min(0, low * 1.1), Math.max(0, high * 1.1) || Number(!(low < 0))] } },
    series: [{}, ...chart.names.map((_name, line) => ({ ...LINE, stroke: own(COLORS[line]) }))],
    axes: axes(own, { values: (_plot, values) => values.map((value) => onAxis(value, chart.unit)) }),
    hooks: { setCursor: [(plot) => show(plot.cursor.idx ?? last)] },
  };
}

/** Nulls where nothing was recorded, so that no line is drawn across: what is usual between two samples is told by most. */
function withGaps({ times, values }) {
  const distances = times.slice(1).map((time, place) => time - times[place]).sort((a, b) => a - b);
  const resolution = distances[distances.length >> 1] ?? 1;
  // Each at the time that the list says, also those of a wider tier.
  const half = resolution / 2;
  const points = times.map((time, place) => ({ time, resolution, isTick: true, from: time - half, to: time + half, place }));
  const made = timeline(points, { start: times[0], end: times.at(-1) });
  return { times: made.times, values: values.map((column) => made.points.map((point) => (point ? column[point.place] : null))) };
}

if (figure && data && window.uPlot) start(JSON.parse(data.textContent));
