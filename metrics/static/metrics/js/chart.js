// Lines, stacks and mirrored areas, with bands from the lowest to the highest value where a point is a mean.

import { isEmpty, mean, reach } from "./columns.js";
import { color, element } from "./dom.js";
import { Drawing } from "./drawing.js";
import { measured, onAxis } from "./formats.js";
import { isInGap, placeAt } from "./gaps.js";
import { LINE } from "./looks.js";
import { gettext, interpolate } from "./messages.js";
import { highestMoment } from "./peak.js";
import { isHistory, pending, state } from "./state.js";

const BINARY_UNITS = new Set(["bytes"]);
// Of an axis whose unit has no parts.
const LEAST_TOP = { bytes: 1024, bytes_per_second: 1000 };
// How much of a colour is seen, as the last two digits of its name. What is filled has the colour of the legend, and a band
// most of it: a little orange on black is brown, and neighbours have to differ in bands too.
const [FILL, BAND, EDGE, OUTLINE] = ["", "a6", "a6", "99"];

export class Chart extends Drawing {
  /** @param {import("./card.js").Card} card */
  constructor(card) {
    super(card);
    this.lowest = 0;
    this.highest = 0;
    const label = `${this.panel.title}: ${gettext("The highest moment of what is shown")}`;
    const peak = element("button", { class: "highest", type: "button", "aria-label": label, title: label }, "▲");
    peak.addEventListener("click", () => this.pickHighest());
    card.legend.before(peak);
    /** Where the API has the points of a family. @type {(family: string) => string} */
    this.path = (family) => `metrics/${family}`;
  }

  draw(host) {
    [this.lowest, this.highest] = reach(this.extents());
    super.draw(host);
  }

  build(form) {
    this.card.setLegend(this.columns.lines);
    super.build(form);
  }

  form() {
    const { lines, bands } = this.columns;
    return JSON.stringify([lines.map((line) => line.label), bands.map(Boolean), this.parts().stacked.length]);
  }

  /** A stack from its top to its ground, then what lies over it. */
  layers() {
    const { stacked, single, banded } = this.parts();
    const isMirror = this.panel.form === "mirror";
    const look = (line, own) => ({ ...LINE, stroke: color(line.color), dash: line.dashed ? [5, 4] : undefined, ...own });
    const edges = (line, stroke) => [look(line, { stroke, width: 1, dash: undefined }), look(line, { stroke, width: 1, dash: undefined })];
    const areas = stacked.map((line) => look(line, { width: 1, fill: color(line.color) + FILL })).reverse();
    const lines = single.map((line) => look(line, { fill: isMirror ? color(line.color) + FILL : undefined }));
    const bands = banded.flatMap((line) => edges(line, isMirror ? color("--ink") + OUTLINE : color(line.color) + EDGE));
    // Over a stack only the edges, which leave the colours below them what they are.
    const outline = this.outline() ? edges(this.panel.band, color(this.panel.band.color) + OUTLINE) : [];
    const first = 1 + stacked.length + (isMirror ? single.length : 0);
    const filled = banded.map((line, place) => ({ series: [first + 2 * place, first + 2 * place + 1], fill: color(line.color) + BAND, dir: line.down ? 1 : -1 }));
    const between = stacked.slice(1).map((_line, place) => ({ series: [place + 1, place + 2] }));
    return { layers: [...areas, ...this.inOrder(lines, bands), ...outline], bands: [...between, ...filled] };
  }

  /** A column for each of the layers. */
  data() {
    const { stacked, single, banded, bandOf, valuesOf } = this.parts();
    const edges = (band) => (band ? [band.high, band.low] : []);
    const signed = (column, line) => (line.down ? column.map((value) => (value === null ? null : -value)) : column);
    const lines = single.map((line) => signed(valuesOf(line), line));
    const bands = banded.flatMap((line) => edges(bandOf(line)).map((column) => signed(column, line)));
    return [this.columns.times, ...cumulative(stacked.map(valuesOf)).reverse(), ...this.inOrder(lines, bands), ...edges(this.outline())];
  }

  /** What is filled lies below its band, a line over all bands. */
  inOrder(lines, bands) {
    return this.panel.form === "mirror" ? [...lines, ...bands] : [...bands, ...lines];
  }

  /** The band of a whole stack, where there is one. */
  outline() {
    return this.columns.bands[this.columns.lines.length];
  }

  /** The lines that stand on each other and those that stand alone, and where their columns are. */
  parts() {
    const { lines, values, bands } = this.columns;
    const isStacked = (line) => this.panel.form === "stack" && !line.apart;
    const bandOf = (line) => bands[lines.indexOf(line)];
    const single = lines.filter((line) => !isStacked(line));
    const stacked = lines.filter((line, place) => isStacked(line) && !(line.isOptional && isEmpty(values[place])));
    return { stacked, single, banded: single.filter(bandOf), bandOf, valuesOf: (line) => values[lines.indexOf(line)] };
  }

  /** How far each line goes, and a stack. */
  extents() {
    const { values, bands } = this.columns;
    const { stacked, valuesOf } = this.parts();
    const [top] = cumulative(stacked.map(valuesOf)).slice(-1);
    return [...values, ...(top ? [top] : []), ...bands.filter(Boolean).flatMap((band) => [band.low, band.high])];
  }

  /** Of a stack at a place. */
  totalAt(place) {
    const { stacked, valuesOf } = this.parts();
    return stacked.reduce((sum, line) => sum + (valuesOf(line)[place] ?? 0), 0);
  }

  async pickHighest() {
    await pending.load;
    if (!this.columns) return;
    const point = await highestMoment(this.panel, this.columns, this.path, this.host?.name);
    if (point) this.pick(point);
  }

  range() {
    const room = this.lowest < 0 && this.highest <= 0 ? 0 : 1;
    const top = this.panel.top?.(this.highest, this.columns.points, this.host) ?? (Math.max(this.highest * 1.1, LEAST_TOP[this.panel.unit] ?? 0) || room);
    return [this.panel.form === "mirror" ? -top : this.lowest * 1.1, top];
  }

  /** Bytes have their labels at powers of two, so that an axis reads 4 GiB and not 3.73 GiB. */
  axis() {
    const { unit } = this.panel;
    const splits = (_plot, _axis, low, high) => {
      const step = 2 ** Math.ceil(Math.log2(Math.max(1, (high - low) / 5)));
      const first = Math.ceil(low / step);
      return Array.from({ length: Math.floor(high / step) - first + 1 }, (_none, place) => (first + place) * step);
    };
    const shown = this.panel.form === "mirror" ? Math.abs : (value) => value;
    const values = (_plot, places) => places.map((value) => onAxis(shown(value), unit));
    return BINARY_UNITS.has(unit) ? { splits, values } : { values };
  }

  hooks() {
    return { draw: [(plot) => this.drawReference(plot)] };
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
    context.textAlign = "left";
    context.fillText(reference.label, left + 5 * devicePixelRatio, y - 5 * devicePixelRatio);
    context.restore();
  }

  rowsAt(place) {
    const { lines, values, bands } = this.columns;
    const rows = lines
      .map((line, number) => ({ label: line.label, color: line.color, ...this.cells(values[number][place], bands[number], place), isNull: isEmpty(values[number]) }))
      .filter((row) => !row.isNull);
    if (this.panel.form !== "stack" || this.panel.unit !== "percent") return rows;
    return [...rows, { label: gettext("total"), ...this.cells(this.totalAt(place), bands.at(-1), place), isTotal: true }];
  }

  /** A value, and from where to where it went. */
  cells(value, band, place) {
    const text = (one) => measured(one, this.panel.unit);
    const [low, high] = [band?.low[place] ?? null, band?.high[place] ?? null];
    if (high === null) return { value: text(value) };
    return { value: text(value), range: band.hasLow ? `${text(low)} – ${text(high)}` : interpolate(gettext("up to %(value)s"), { value: text(high) }) };
  }

  /** The values at a moment; of a stretch of the past their means; else the newest. */
  fillLegend(time) {
    const { values, gaps, points, moment } = this.columns;
    const isMean = time === null && isHistory() && state.at === null;
    const picked = time === null && state.at !== null ? moment() : null;
    const place = time === null ? points.findLastIndex(Boolean) : placeAt(this.columns, time);
    const isGap = time !== null && isInGap(gaps, time);
    const text = (column, line) => {
      if (isEmpty(column) && (picked?.[line] ?? null) === null) return null;
      if (isMean) return `⌀ ${measured(mean(column, points), this.panel.unit)}`;
      return measured(picked ? picked[line] : isGap ? null : column[place], this.panel.unit);
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
