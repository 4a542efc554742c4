// A chart whose axes uPlot draws: what lies between them, a subclass says.

import { color, element } from "./dom.js";
import { RIGHT, axes } from "./looks.js";
import { Plot } from "./plot.js";
import { zonedDate } from "./zone.js";

const PADDING = [8, RIGHT, 0, 0];

export class Drawing extends Plot {
  /** @param {import("./card.js").Card} card */
  constructor(card) {
    super(card);
    this.panel = card.panel;
    this.canvas = element("div", { class: "canvas" });
    this.node.prepend(this.canvas);
    this.built = null;
    new ResizeObserver(() => this.resize()).observe(this.node);
  }

  draw(host) {
    this.host = host;
    const form = this.form();
    if (form !== this.built) this.build(form);
    this.plot.setData(this.data());
  }

  /** Draw again in other colours. */
  recolor() {
    if (!this.plot) return;
    this.build(this.built);
    this.plot.setData(this.data());
  }

  build(form) {
    this.plot?.destroy();
    this.built = form;
    this.plot = new uPlot(this.options(), null, this.canvas);
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.node;
    if (this.plot && width && (this.plot.width !== width || this.plot.height !== height)) this.plot.setSize({ width, height });
  }

  options() {
    const { layers, bands } = this.layers();
    return {
      width: this.node.clientWidth || 300,
      height: this.node.clientHeight || 150,
      padding: PADDING,
      legend: { show: false },
      cursor: { show: false },
      tzDate: zonedDate,
      scales: { x: { range: () => [this.shown.start, this.shown.end] }, y: { range: () => this.range() } },
      series: [{}, ...layers],
      bands,
      axes: axes(color, this.axis()),
      hooks: this.hooks(),
    };
  }

  /** What the drawing is built for: where this is another, it is built anew. @returns {string} */
  form() {
    return "";
  }

  /** What uPlot draws, in its order. @returns {{layers: object[], bands: object[]}} */
  layers() {
    return { layers: [{}], bands: [] };
  }

  /** The ends of the vertical axis. @returns {[number, number]} */
  range() {
    return [0, 1];
  }

  /** What is peculiar to the vertical axis. @returns {object} */
  axis() {
    return {};
  }

  /** What is drawn beside the layers. @returns {object} */
  hooks() {
    return {};
  }

  /** The times, and a column for each layer. @returns {any[][]} */
  data() {
    return [this.columns.times];
  }
}
