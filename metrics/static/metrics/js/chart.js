// Lines, stacks and mirrored areas, drawn by uPlot.

import { highest, isEmpty, mean } from "./columns.js";
import { color, element } from "./dom.js";
import { measured, onAxis, timeLabel } from "./formats.js";
import { isInGap, nearest } from "./gaps.js";
import { gettext } from "./messages.js";
import { Plot } from "./plot.js";
import { isHistory, pending, state } from "./state.js";

// The room of the axes, as the style sheet's .overlay leaves it too.
const [LEFT, BOTTOM] = [62, 24];
const PADDING = [8, 8, 0, 0];
const BINARY_UNITS = new Set(["bytes"]);
const FILL = "b8";
const FAINT = "30";

export class Chart extends Plot {
  /** @param {import("./card.js").Card} card */
  constructor(card) {
    super(card);
    this.panel = card.panel;
    this.canvas = element("div", { class: "canvas" });
    this.node.prepend(this.canvas);
    this.drawnLines = "";
    const label = `${this.panel.title}: ${gettext("The highest moment of what is shown")}`;
    const peak = element("button", { class: "highest", type: "button", "aria-label": label, title: label }, "▲");
    peak.addEventListener("click", () => this.pickHighest());
    card.legend.before(peak);
    new ResizeObserver(() => this.resize()).observe(this.node);
  }

  draw(host) {
    this.host = host;
    const lines = this.columns.lines.map((line) => line.label).join("\n");
    if (!this.plot || lines !== this.drawnLines) this.build(lines);
    this.highest = this.highestValue();
    this.plot.setData(this.data());
  }

  /** Draw again in other colours. */
  recolor() {
    if (!this.plot) return;
    this.build(this.drawnLines);
    this.plot.setData(this.data());
  }

  build(lines) {
    this.plot?.destroy();
    this.drawnLines = lines;
    this.card.setLegend(this.columns.lines);
    this.plot = new uPlot(this.options(), null, this.canvas);
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.node;
    if (this.plot && width && (this.plot.width !== width || this.plot.height !== height)) this.plot.setSize({ width, height });
  }

  options() {
    const [ink, grid] = [color("--soft"), color("--grid")];
    const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif", gap: 5 };
    const { layers, bands } = this.layers();
    return {
      width: this.node.clientWidth || 300,
      height: this.node.clientHeight || 150,
      padding: PADDING,
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { range: () => [this.shown.start, this.shown.end] }, y: { range: () => this.range() } },
      series: [{}, ...layers],
      bands,
      axes: [
        { ...axis, size: BOTTOM, space: 70, values: (_plot, values, _axis, _space, distance) => values.map((value) => timeLabel(value, distance)) },
        { ...axis, size: LEFT, space: 30, splits: this.splits(), values: (_plot, values) => values.map((value) => onAxis(Math.abs(value), this.panel.unit)) },
      ],
      hooks: { draw: [(plot) => this.drawReference(plot)] },
    };
  }

  /** What uPlot draws, in its order: a stack from its top to its ground, then what lies over it. */
  layers() {
    const { lines } = this.columns;
    const stroke = (line) => color(line.color);
    const plain = (line) => ({ stroke: stroke(line), width: 1.5, points: { show: false }, dash: line.dashed ? [5, 4] : undefined });
    if (this.panel.form !== "stack") return this.linesWithPeaks(lines, plain);
    const stacked = lines.filter((line) => !line.apart).reverse();
    const layers = stacked.map((line) => ({ ...plain(line), width: 1, fill: stroke(line) + FILL }));
    const bands = stacked.slice(0, -1).map((_line, place) => ({ series: [place + 1, place + 2] }));
    const apart = lines.filter((line) => line.apart).map(plain);
    const peak = this.panel.peak ? [{ ...plain(this.panel.peak), stroke: stroke(this.panel.peak), width: 1, alpha: 0.4 }] : [];
    return { layers: [...layers, ...apart, ...peak], bands };
  }

  /** Each line with the band up to its peaks. */
  linesWithPeaks(lines, plain) {
    const isMirror = this.panel.form === "mirror";
    const layers = lines.flatMap((line) => [
      { ...plain(line), stroke: color(line.color) + "66", width: 1, dash: undefined },
      { ...plain(line), fill: isMirror ? color(line.color) + "55" : undefined },
    ]);
    const bands = lines.map((line, place) => ({ series: [2 * place + 1, 2 * place + 2], fill: color(line.color) + FAINT, dir: line.down ? 1 : -1 }));
    return { layers, bands };
  }

  data() {
    const { times, values, peaks, lines, stackPeaks } = this.columns;
    if (this.panel.form !== "stack") {
      const signed = (column, line) => (line.down ? column.map((value) => (value === null ? null : -value)) : column);
      return [times, ...lines.flatMap((line, place) => [signed(peaks[place], line), signed(values[place], line)])];
    }
    const stacked = values.filter((_column, place) => !lines[place].apart);
    const apart = values.filter((_column, place) => lines[place].apart);
    return [times, ...cumulative(stacked).reverse(), ...apart, ...(this.panel.peak ? [stackPeaks] : [])];
  }

  async pickHighest() {
    await pending.load;
    const { values, peaks, stackPeaks, lines, times } = this.columns ?? { times: [] };
    const isStack = this.panel.form === "stack";
    const height = (place) => {
      const known = isStack ? [stackPeaks[place] ?? values.reduce((sum, column, line) => sum + (lines[line].apart ? 0 : (column[place] ?? 0)), 0)] : [...values, ...peaks].map((column) => column[place] ?? 0);
      return Math.max(...known);
    };
    if (times.length) this.pick(times[times.reduce((best, _time, place) => (height(place) > height(best) ? place : best), 0)]);
  }

  highestValue() {
    const { values, peaks, stackPeaks } = this.columns;
    return highest([...values, ...peaks, stackPeaks]);
  }

  range() {
    const top = this.panel.top?.(this.highest, this.columns.points, this.host) ?? (this.highest * 1.1 || 1);
    return [this.panel.form === "mirror" ? -top : 0, top];
  }

  /** Where an axis of bytes has its labels: at powers of two, so that it reads 4 GiB and not 3.73 GiB. */
  splits() {
    if (!BINARY_UNITS.has(this.panel.unit)) return undefined;
    return (_plot, _axis, low, high) => {
      const step = 2 ** Math.ceil(Math.log2(Math.max(1, (high - low) / 5)));
      const count = Math.floor((high - low) / step) + 1;
      return Array.from({ length: count }, (_none, place) => low + place * step);
    };
  }

  drawReference(plot) {
    const reference = this.panel.reference?.(this.host);
    if (!reference) return;
    const y = Math.round(plot.valToPos(reference.value, "y", true));
    const { left, width } = plot.bbox;
    const context = plot.ctx;
    context.save();
    context.strokeStyle = context.fillStyle = color("--soft");
    context.setLineDash([6, 4].map((length) => length * devicePixelRatio));
    context.lineWidth = devicePixelRatio;
    context.beginPath();
    context.moveTo(left, y);
    context.lineTo(left + width, y);
    context.stroke();
    context.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    context.textAlign = "right";
    context.fillText(`${reference.value} ${reference.label}`, left + width - 4 * devicePixelRatio, y - 5 * devicePixelRatio);
    context.restore();
  }

  rowsAt(place) {
    const { lines, values, peaks, stackPeaks, arePeaks } = this.columns;
    const withPeak = (value, peak) => {
      const text = measured(value, this.panel.unit);
      return arePeaks && peak !== null && peak !== undefined ? `${text} (${measured(peak, this.panel.unit)})` : text;
    };
    const rows = lines
      .map((line, number) => ({ label: line.label, color: line.color, value: withPeak(values[number][place], peaks[number][place]), isNull: isEmpty(values[number]) }))
      .filter((row) => !row.isNull);
    if (this.panel.form !== "stack" || this.panel.unit !== "percent") return rows;
    const total = values.reduce((sum, column) => sum + (column[place] ?? 0), 0);
    return [...rows, { label: gettext("total"), value: withPeak(total, stackPeaks[place]), isTotal: true }];
  }

  /** The values at a moment; of a stretch of the past their means; else the newest. */
  fillLegend(time) {
    const { times, values, gaps, points } = this.columns;
    const isMean = time === null && isHistory() && state.at === null;
    const place = time === null ? points.findLastIndex(Boolean) : nearest(times, time);
    const isGap = time !== null && isInGap(gaps, time);
    const text = (column) => {
      if (isEmpty(column)) return null;
      return isMean ? `⌀ ${measured(mean(column), this.panel.unit)}` : measured(isGap ? null : column[place], this.panel.unit);
    };
    this.card.setValues(values.map(text));
  }
}

/** Each column on top of those before it. */
function cumulative(columns) {
  let ground = null;
  return columns.map((column) => {
    const below = ground;
    ground = column.map((value, place) => {
      const base = below?.[place] ?? null;
      return value === null ? base : value + (base ?? 0);
    });
    return ground;
  });
}
