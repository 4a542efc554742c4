// One row for each core, one column for each point: readable with 2 cores and with 128.

import { element } from "./dom.js";
import { Drawing } from "./drawing.js";
import { measured } from "./formats.js";
import { placeAt } from "./gaps.js";
import { gettext, interpolate } from "./messages.js";

const SHADES = 21;
const SCALE = [0, 25, 50, 75, 100];
// Rows lower than this have no line between them.
const LOWEST_PIXELS = 6;
const LABEL_PIXELS = 15;

export class Heatmap extends Drawing {
  /** @param {import("./card.js").Card} card */
  constructor(card) {
    super(card);
    this.swatches = SCALE.map(() => element("i", { class: "swatch" }));
    this.card.legend.replaceChildren(...SCALE.map((share, place) => element("li", {}, this.swatches[place], `${share}%`)));
  }

  draw(host) {
    this.cores = this.columns.values[0].reduce((most, list) => Math.max(most, list?.length ?? 0), 0);
    super.draw(host);
  }

  build(form) {
    this.swatches.forEach((swatch, place) => (swatch.style.background = mixed(SCALE[place] / 100)));
    super.build(form);
  }

  /** The first core is the topmost. */
  range() {
    return [-(this.cores || 1), 0];
  }

  options() {
    const options = super.options();
    options.axes.forEach((axis) => (axis.grid = { show: false }));
    return options;
  }

  axis() {
    const splits = (plot) => {
      const every = Math.max(1, Math.ceil((LABEL_PIXELS * this.cores * devicePixelRatio) / plot.bbox.height));
      return Array.from({ length: Math.ceil(this.cores / every) }, (_none, place) => -(place * every + 0.5));
    };
    return { splits, values: (_plot, places) => places.map((place) => name(-place - 0.5)) };
  }

  hooks() {
    return { drawClear: [(plot) => this.drawCells(plot)] };
  }

  data() {
    return [this.columns.times, this.columns.times.map(() => null)];
  }

  /** A path for each shade: in a row one rectangle for each run of it. */
  drawCells(plot) {
    const { top, height } = plot.bbox;
    const { times, points, values } = this.columns;
    const [lists] = values;
    const paths = Array.from({ length: SHADES }, () => new Path2D());
    const row = height / (this.cores || 1);
    const line = row > LOWEST_PIXELS * devicePixelRatio ? devicePixelRatio : 0;
    const x = (time) => plot.valToPos(Math.min(this.shown.end, Math.max(this.shown.start, time)), "x", true);
    const lefts = times.map((time, place) => x(points[place]?.from ?? time));
    const rights = times.map((time, place) => (points[place + 1] ? lefts[place + 1] : x(points[place]?.to ?? time)));
    for (let core = 0; core < this.cores; core += 1) {
      for (let place = 0; place < times.length; place += 1) {
        const shade = shadeOf(lists[place]?.[core]);
        const left = lefts[place];
        while (place + 1 < times.length && shadeOf(lists[place + 1]?.[core]) === shade) place += 1;
        if (shade !== null) paths[shade].rect(left, top + core * row, rights[place] - left + 0.5, row - line);
      }
    }
    // uPlot remembers which colours it has set.
    plot.ctx.save();
    paths.forEach((path, shade) => {
      plot.ctx.fillStyle = mixed(shade / (SHADES - 1));
      plot.ctx.fill(path);
    });
    plot.ctx.restore();
  }

  rowAt(y) {
    const box = this.overlay.node.getBoundingClientRect();
    return Math.min(this.cores - 1, Math.max(0, Math.floor(((y - box.top) / box.height) * this.cores)));
  }

  describe(time) {
    const description = super.describe(time);
    if (description.rows.length && this.pointerY !== undefined) {
      const core = this.rowAt(this.pointerY);
      description.rows.unshift({ label: name(core), ...this.cells(placeAt(this.columns, time), core), isTotal: true });
    }
    return description;
  }

  /** What a core did, and up to where. */
  cells(place, core) {
    const { values, bands } = this.columns;
    const high = bands[0]?.high[place]?.[core] ?? null;
    const value = measured(values[0][place]?.[core] ?? null, "percent");
    return high === null ? { value } : { value, range: interpolate(gettext("up to %(value)s"), { value: measured(high, "percent") }) };
  }

  rowsAt(place) {
    const list = this.columns.values[0][place]?.map((value) => value ?? 0) ?? [];
    if (!list.length) return [];
    const busiest = list.indexOf(Math.max(...list));
    const mean = list.reduce((sum, value) => sum + value, 0) / list.length;
    return [
      { label: interpolate(gettext("busiest, CPU %(number)s"), { number: busiest }), ...this.cells(place, busiest) },
      { label: gettext("mean of the cores"), value: measured(mean, "percent") },
    ];
  }
}

const name = (core) => interpolate(gettext("CPU %(number)s"), { number: core });

const shadeOf = (value) => (value === null || value === undefined ? null : Math.round((Math.min(100, Math.max(0, value)) / 100) * (SHADES - 1)));

function mixed(share) {
  const dark = document.documentElement.dataset.theme === "dark";
  return dark
    ? `oklch(${0.25 + 0.6 * share} ${0.03 + 0.09 * share} 250)`
    : `oklch(${0.965 - 0.56 * share} ${0.012 + 0.16 * share} 258)`;
}
