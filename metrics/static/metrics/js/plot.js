// What every chart over time does: it follows the cursor, and a moment or a stretch can be picked in it.

import { cursor, moveCursor } from "./cursor.js";
import { announce } from "./dom.js";
import { duration, moment, stretch } from "./formats.js";
import { isInGap, placeAt } from "./gaps.js";
import { gettext, interpolate } from "./messages.js";
import { Overlay } from "./overlay.js";
import { followPointer } from "./pointer.js";
import { backToLive, isHistory, middleOfMoment, pickMoment, showStretch, state } from "./state.js";
import { inWords, showTooltip } from "./tooltip.js";

const FAST_STEPS = 10;

export class Plot {
  /** @param {import("./card.js").Card} card */
  constructor(card) {
    this.card = card;
    this.node = card.plot;
    this.overlay = new Overlay(this.node);
    /** @type {import("./columns.js").Columns | null} */
    this.columns = null;
    this.shown = { start: 0, end: 1 };
    this.node.tabIndex = 0;
    this.node.setAttribute("role", "img");
    this.node.setAttribute("aria-describedby", "keys");
    followPointer(this.overlay, {
      point: (event) => this.pointAt(event),
      leave: () => moveCursor(null),
      pick: (event) => this.pickAt(this.overlay.timeAt(event.clientX)),
      select: (start, end) => showStretch(start, end),
    });
    this.node.addEventListener("keydown", (event) => this.onKey(event));
    this.node.addEventListener("blur", () => moveCursor(null));
  }

  /** New data, or another stretch of time. */
  show(columns, shown, host) {
    this.columns = columns;
    this.shown = shown;
    this.overlay.show(shown, columns.gaps, host?.bootedAt ?? null);
    this.draw(host);
    this.followMoment();
    this.setLabel();
  }

  /** Draw the columns: a subclass does. */
  draw(_host) {}

  /** The rows of the tooltip at a place of the columns. @returns {import("./tooltip.js").Row[]} */
  rowsAt(_place) {
    return [];
  }

  /** Follow the cursor, or the picked moment where there is none. */
  followMoment() {
    const pointed = cursor();
    this.overlay.cover(this.overlay.mark, this.marked());
    this.overlay.at(this.overlay.line, pointed?.time ?? null);
    this.fillLegend(pointed?.time ?? null);
    if (pointed?.plot === this) this.showTooltip(pointed.time);
  }

  fillLegend(_time) {}

  /** From when to when the picked moment goes: a bucket whole, a tick as far as it can be picked. @returns {[number, number] | null} */
  marked() {
    if (state.at === null) return null;
    if (state.width !== null) return [state.at, state.at + state.width];
    const tick = this.columns.points.find((point) => point?.isTick && point.time <= state.at && state.at < point.time + point.resolution);
    return tick ? [tick.from, tick.to] : [state.at, state.at];
  }

  /** What is known of a moment. @returns {import("./tooltip.js").Description} */
  describe(time) {
    const place = placeAt(this.columns, time);
    const point = this.columns.points[place];
    if (!point || isInGap(this.columns.gaps, time)) {
      return { title: moment(time), rows: [], notes: [gettext("Nothing was recorded then.")] };
    }
    const title = point.isTick ? moment(point.time) : stretch(point.from, point.to);
    const notes = [gettext("Click or Enter: the processes of this moment")];
    if (this.columns.areMeans) {
      notes.unshift(interpolate(gettext("mean of %(width)s; beside it the lowest and the highest"), { width: duration(point.resolution) }));
    }
    return { title, rows: this.rowsAt(place), notes };
  }

  pointAt(event) {
    if (!this.columns?.times.length) return;
    this.pointerY = event.clientY;
    const time = this.overlay.timeAt(event.clientX);
    const isGap = isInGap(this.columns.gaps, time);
    moveCursor({ time: isGap ? Math.round(time) : this.columns.times[placeAt(this.columns, time)], plot: this, row: this.rowAt(event.clientY) });
  }

  rowAt(_y) {
    return undefined;
  }

  /** Pick the tick or the bucket that a moment lies in; of a gap the moment itself. */
  pickAt(time) {
    const point = this.columns && !isInGap(this.columns.gaps, time) ? this.columns.points[placeAt(this.columns, time)] : null;
    if (point) this.pick(point);
    else this.pick({ time, isTick: true });
  }

  /** @param {{time: number, isTick: boolean, resolution?: number}} point */
  pick({ time, resolution, isTick }) {
    moveCursor(null);
    pickMoment({ at: time, width: isTick ? null : resolution }, this.shown, this.card.panel.order);
  }

  showTooltip(time) {
    const y = this.pointerY ?? this.overlay.node.getBoundingClientRect().top + 40;
    showTooltip(this.describe(time), this.overlay.xOf(time), y);
  }

  onKey(event) {
    const times = this.columns?.times ?? [];
    if (event.key === "Escape" && (cursor() || isHistory())) {
      if (cursor()) moveCursor(null);
      else backToLive();
    } else if (event.key === "Enter" && times.length) {
      this.pickAt(cursor()?.time ?? (state.at === null ? times.at(-1) : middleOfMoment()));
    } else if (times.length && this.stepped(event, times) !== null) {
      this.pointerY = undefined;
      const time = times[this.stepped(event, times)];
      moveCursor({ time, plot: this });
      announce(inWords(this.describe(time)));
    } else return;
    event.preventDefault();
  }

  /** Where a key moves the cursor to; null for other keys. */
  stepped(event, times) {
    const width = event.shiftKey ? FAST_STEPS : 1;
    const from = placeAt(this.columns, cursor()?.time ?? (state.at === null ? times.at(-1) : middleOfMoment()));
    const to = { ArrowLeft: from - width, ArrowRight: from + width, Home: 0, End: times.length - 1 }[event.key];
    return to === undefined ? null : Math.min(times.length - 1, Math.max(0, to));
  }

  /** For a screen reader: the title and the newest values. */
  setLabel() {
    const place = this.columns.points.findLastIndex(Boolean);
    const values = place < 0 ? gettext("Nothing was recorded then.") : this.rowsAt(place).map((row) => `${row.label} ${row.value}`).join(", ");
    this.node.setAttribute("aria-label", `${this.card.panel.title}. ${values}`);
  }
}
