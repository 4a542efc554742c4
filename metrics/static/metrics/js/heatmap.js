// One row for each core, one column for each point: readable with 2 cores and with 128.

import { color, element } from "./dom.js";
import { measured, timeLabel } from "./formats.js";
import { isInGap, nearest } from "./gaps.js";
import { gettext, interpolate } from "./messages.js";
import { Plot } from "./plot.js";
import { NICE } from "./steps.js";

const [LEFT, BOTTOM, TOP, RIGHT] = [62, 24, 8, 8];
const SHADES = 21;
const SCALE = [0, 25, 50, 75, 100];
const LABEL_PIXELS = 15;
const AXIS_STEPS = [...NICE, 172800, 604800, 2592000];

export class Heatmap extends Plot {
  /** @param {import("./card.js").Card} card */
  constructor(card) {
    super(card);
    this.canvas = element("canvas", { class: "canvas" });
    this.node.prepend(this.canvas);
    this.card.legend.replaceChildren(...SCALE.map((share) => element("li", {}, element("i", { class: "swatch" }), `${share}%`)));
    this.colorScale();
    new ResizeObserver(() => this.columns && this.draw()).observe(this.node);
  }

  draw() {
    this.cores = this.columns.values[0].reduce((most, list) => Math.max(most, list?.length ?? 0), 0);
    const { clientWidth: width, clientHeight: height } = this.node;
    if (!width) return;
    const ratio = devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
    }
    const context = this.canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = "11px system-ui, sans-serif";
    this.drawCells(context, width - LEFT - RIGHT, height - TOP - BOTTOM);
    this.drawLabels(context, width - LEFT - RIGHT, height - TOP - BOTTOM);
  }

  recolor() {
    this.colorScale();
    if (this.columns) this.draw();
  }

  colorScale() {
    SCALE.forEach((share, place) => (this.card.legend.children[place].firstElementChild.style.background = mixed(share / 100)));
  }

  /** Row by row, and in a row one rectangle for each run of the same shade. */
  drawCells(context, width, height) {
    const shades = Array.from({ length: SHADES }, (_none, place) => mixed(place / (SHADES - 1)));
    const { times, values } = this.columns;
    const [lists] = values;
    const row = height / (this.cores || 1);
    const gap = row > 6 ? 1 : 0;
    const x = (time) => LEFT + Math.min(width, Math.max(0, ((time - this.shown.start) / (this.shown.end - this.shown.start)) * width));
    for (let core = 0; core < this.cores; core += 1) {
      for (let place = 0; place < times.length; ) {
        const shade = shadeOf(lists[place]?.[core]);
        let next = place + 1;
        while (next < times.length && shadeOf(lists[next]?.[core]) === shade) next += 1;
        if (shade !== null) {
          const right = next < times.length && lists[next] ? times[next] : times[next - 1] + this.columns.points[next - 1].resolution;
          context.fillStyle = shades[shade];
          context.fillRect(x(times[place]), TOP + core * row, x(right) - x(times[place]) + 0.5, row - gap);
        }
        place = next;
      }
    }
  }

  drawLabels(context, width, height) {
    context.fillStyle = color("--soft");
    context.textBaseline = "middle";
    context.textAlign = "right";
    const row = height / (this.cores || 1);
    const every = Math.max(1, Math.ceil(LABEL_PIXELS / row));
    for (let core = 0; core < this.cores; core += every) {
      context.fillText(interpolate(gettext("CPU %(number)s"), { number: core }), LEFT - 6, TOP + (core + 0.5) * row);
    }
    const span = this.shown.end - this.shown.start;
    const distance = AXIS_STEPS.find((step) => (step / span) * width >= 70) ?? span;
    context.textAlign = "center";
    const offset = new Date(this.shown.start * 1000).getTimezoneOffset() * 60;
    for (let time = Math.ceil((this.shown.start - offset) / distance) * distance + offset; time <= this.shown.end - (span / width) * 14; time += distance) {
      context.fillText(timeLabel(time, distance), LEFT + ((time - this.shown.start) / span) * width, TOP + height + 13);
    }
  }

  rowAt(y) {
    const box = this.overlay.node.getBoundingClientRect();
    return Math.min(this.cores - 1, Math.max(0, Math.floor(((y - box.top) / box.height) * this.cores)));
  }

  describe(time) {
    const description = super.describe(time);
    const [lists] = this.columns.values;
    const list = isInGap(this.columns.gaps, time) ? null : lists[nearest(this.columns.times, time)];
    const core = this.pointerY === undefined ? null : this.rowAt(this.pointerY);
    if (list && core !== null) {
      const label = interpolate(gettext("CPU %(number)s"), { number: core });
      description.rows.unshift({ label, value: measured(list[core] ?? null, "percent"), isTotal: true });
    }
    return description;
  }

  rowsAt(place) {
    const list = this.columns.values[0][place]?.filter((value) => value !== null) ?? [];
    if (!list.length) return [];
    const busiest = list.indexOf(Math.max(...list));
    const mean = list.reduce((sum, value) => sum + value, 0) / list.length;
    return [
      { label: interpolate(gettext("busiest, CPU %(number)s"), { number: busiest }), value: measured(list[busiest], "percent") },
      { label: gettext("mean of the cores"), value: measured(mean, "percent") },
    ];
  }
}

const shadeOf = (value) => (value === null || value === undefined ? null : Math.round((Math.min(100, Math.max(0, value)) / 100) * (SHADES - 1)));

function mixed(share) {
  const dark = document.documentElement.dataset.theme === "dark";
  return dark
    ? `oklch(${0.25 + 0.6 * share} ${0.03 + 0.09 * share} 250)`
    : `oklch(${0.965 - 0.56 * share} ${0.012 + 0.16 * share} 258)`;
}
