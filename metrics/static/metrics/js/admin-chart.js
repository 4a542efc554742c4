// The chart above a list of samples in the admin: what the list shows, as lines.

import { element, setText } from "./dom.js";
import { measured, moment, onAxis, timeLabel } from "./formats.js";

const HEIGHT = 190;
const COLORS = { light: ["#2a78d6", "#d1571b", "#17a587", "#8a5bd0", "#d0a215", "#c9352b"], dark: ["#5aa0f2", "#f08a4b", "#35c9a6", "#b18cf0", "#e3bf4d", "#f0685c"] };
// A distance of so many usual ones is a gap.
const GAP = 2.5;

const figure = document.getElementById("sample-chart");
const data = document.getElementById("sample-chart-data");
function start(chart) {
  const { times, values } = withGaps(chart);
  const cells = chart.names.map(() => element("b"));
  const swatches = chart.names.map(() => element("i"));
  const when = element("span");
  figure.append(element("figcaption", {}, ...chart.names.map((name, place) => element("span", {}, swatches[place], name, cells[place])), when));
  const show = (place) => {
    cells.forEach((cell, line) => setText(cell, measured(values[line][place], chart.unit)));
    setText(when, moment(times[place]));
  };
  let plot = null;
  const draw = () => {
    plot?.destroy();
    const colors = COLORS[isDark() ? "dark" : "light"];
    swatches.forEach((swatch, line) => (swatch.style.background = colors[line]));
    plot = new uPlot(options(chart, colors, show, times.length - 1), [times, ...values], figure);
  };
  draw();
  show(times.length - 1);
  new ResizeObserver(() => plot.setSize({ width: width(), height: HEIGHT })).observe(figure);
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}

const width = () => Math.max(200, figure.clientWidth - 24);

function isDark() {
  const { theme } = document.documentElement.dataset;
  return theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
}

function options(chart, colors, show, last) {
  const grid = { stroke: "#80808033", width: 1 };
  const axis = { stroke: isDark() ? "#a0a7b1" : "#5a606b", grid, ticks: { show: false }, font: "11px system-ui, sans-serif" };
  return {
    width: width(),
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    scales: { y: { range: (_plot, _low, high) => [0, high * 1.1 || 1] } },
    series: [{}, ...chart.names.map((_name, line) => ({ stroke: colors[line], width: 1.5, points: { show: false } }))],
    axes: [
      { ...axis, space: 70, values: (_plot, values, _axis, _space, distance) => values.map((value) => timeLabel(value, distance)) },
      { ...axis, size: 74, values: (_plot, values) => values.map((value) => onAxis(value, chart.unit)) },
    ],
    hooks: { setCursor: [(plot) => show(plot.cursor.idx ?? last)] },
  };
}

/** Nulls where nothing was recorded, so that no line is drawn across. */
function withGaps({ times, values }) {
  const distances = times.slice(1).map((time, place) => time - times[place]).sort((a, b) => a - b);
  const usual = distances[distances.length >> 1] ?? 1;
  const made = { times: [], values: values.map(() => []) };
  times.forEach((time, place) => {
    if (place && time - times[place - 1] > GAP * usual) {
      made.times.push((time + times[place - 1]) / 2);
      made.values.forEach((column) => column.push(null));
    }
    made.times.push(time);
    made.values.forEach((column, line) => column.push(values[line][place]));
  });
  return made;
}

if (figure && data && window.uPlot) start(JSON.parse(data.textContent));
