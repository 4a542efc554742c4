// What lies over a chart and needs no drawing: gaps, the boot, the picked moment, the cursor, a selection.

import { element } from "./dom.js";
import { gettext } from "./messages.js";

export class Overlay {
  /** @param {HTMLElement} plot an element whose style leaves room for the axes */
  constructor(plot) {
    this.gaps = element("div", { class: "gaps" });
    this.boot = element("div", { class: "boot", hidden: true }, element("span", {}, gettext("boot")));
    this.mark = element("div", { class: "mark", hidden: true });
    this.line = element("div", { class: "crosshair", hidden: true });
    this.selection = element("div", { class: "selection", hidden: true });
    this.node = element("div", { class: "overlay" }, this.gaps, this.boot, this.mark, this.line, this.selection);
    plot.append(this.node);
    this.shown = { start: 0, end: 1 };
  }

  /** @param {{start: number, end: number}} shown @param {[number, number][]} gaps @param {number | null} bootedAt */
  show(shown, gaps, bootedAt) {
    this.shown = shown;
    while (this.gaps.childElementCount > gaps.length) this.gaps.lastElementChild.remove();
    while (this.gaps.childElementCount < gaps.length) this.gaps.append(element("i"));
    gaps.forEach(([start, end], place) => this.stretch(this.gaps.children[place], start, end));
    this.at(this.boot, bootedAt);
    // Near the right end its word goes to the left of it.
    this.boot.classList.toggle("late", bootedAt !== null && this.shareOf(bootedAt) > 0.85);
  }

  /** Put a line at a moment, or take it away. @param {HTMLElement} line @param {number | null} time */
  at(line, time) {
    const share = time === null ? -1 : this.shareOf(time);
    line.hidden = share < 0 || share > 1;
    if (!line.hidden) line.style.left = `${share * 100}%`;
  }

  /** Lay something over a stretch of time, or take it away where that is not shown. @param {[number, number] | null} times */
  cover(node, times) {
    node.hidden = times === null || times[1] < this.shown.start || times[0] > this.shown.end;
    if (!node.hidden) this.stretch(node, ...times);
  }

  /** Lay something over a stretch of time. @param {HTMLElement} node @param {number} start @param {number} end */
  stretch(node, start, end) {
    const [left, right] = [start, end].map((time) => Math.min(1, Math.max(0, this.shareOf(time))));
    node.style.left = `${left * 100}%`;
    node.style.width = `${(right - left) * 100}%`;
  }

  shareOf(time) {
    return (time - this.shown.start) / (this.shown.end - this.shown.start || 1);
  }

  /** The moment below a place of the screen. @param {number} x */
  timeAt(x) {
    const box = this.node.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (x - box.left) / (box.width || 1)));
    return this.shown.start + share * (this.shown.end - this.shown.start);
  }

  /** Where a moment is on the screen. @param {number} time */
  xOf(time) {
    const box = this.node.getBoundingClientRect();
    return box.left + this.shareOf(time) * box.width;
  }
}
