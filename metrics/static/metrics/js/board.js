// The charts: which there are, which of them can be seen, and their data.

import { Card } from "./card.js";
import { Chart } from "./chart.js";
import { columnsOf, isEmpty } from "./columns.js";
import { derivedPanels } from "./derived.js";
import { byId } from "./dom.js";
import { Heatmap } from "./heatmap.js";
import { Lane } from "./lane.js";
import { handmade } from "./panels.js";
import { Series, momentQuery } from "./series.js";
import { state } from "./state.js";
import { names } from "./things.js";

const NEAR_PIXELS = 100;
// Before the first answer the cards stand a little elsewhere: what is asked for at first must not be asked for again.
const FIRST_LOOK_PIXELS = 300;

export class Board {
  /** @param {any[]} families as the API describes them @param {() => void} onSeen called when a chart comes into view */
  constructor(families, onSeen) {
    this.families = families.filter((family) => family.is_series);
    this.series = Object.fromEntries(this.families.map(makeSeries));
    this.observer = new IntersectionObserver((entries) => this.onSeen(entries, onSeen), { rootMargin: `${NEAR_PIXELS}px` });
    this.items = [];
    handmade().filter((panel) => Object.keys(panel.fields).every((family) => family in this.series)).forEach((panel) => this.add(panel));
    this.further = byId("further");
    this.further.addEventListener("toggle", () => this.addDerived(), { once: true });
    const known = new Set(this.items.flatMap((item) => Object.keys(item.panel.fields)));
    if (this.families.some((family) => !known.has(family.name))) this.addDerived();
    document.documentElement.addEventListener("themechange", () => this.items.forEach((item) => item.view?.recolor()));
  }

  /** A chart for all that nobody laid out: made when it is asked for, or when there is a family that is not known. */
  addDerived() {
    if (this.hasDerived) return;
    this.hasDerived = true;
    derivedPanels(this.families, this.items.map((item) => item.panel)).forEach((panel) => this.add(panel));
  }

  add(panel) {
    const card = new Card(panel, byId(panel.isFurther ? "further-grid" : "grid"));
    this.items.push({ panel, card, view: null, lane: panel.hasLane ? new Lane(card) : null, isSeen: false, isEmpty: false, drawn: null });
    card.node.setAttribute("aria-busy", "true");
    this.observer.observe(card.node);
  }

  onSeen(entries, onSeen) {
    for (const entry of entries) this.items.find((item) => item.card.node === entry.target).isSeen = entry.isIntersecting;
    if (this.seen.some((item) => !this.isUpToDate(item) || !this.knowsMomentOf(item.panel))) onSeen();
  }

  /** What is in view before the observer says so, which takes until the next frame: then it need not be asked for twice. */
  look() {
    for (const item of this.items) {
      const { top, bottom, height } = item.card.node.getBoundingClientRect();
      item.isSeen = height > 0 && bottom > -FIRST_LOOK_PIXELS && top < innerHeight + FIRST_LOOK_PIXELS;
    }
  }

  /** Whether nothing of what is in view has to be asked for. */
  get isComplete() {
    return this.wanted().every((family) => this.series[family].isComplete && this.knowsMoment(family)) && this.lanes().every((lane) => lane.isLoaded);
  }

  /** In view; a card that is hidden because it was empty is asked for as well, or it would never come back. */
  get seen() {
    return this.items.filter((item) => item.isSeen || (item.isEmpty && (!item.panel.isFurther || this.further.open)));
  }

  /** A family may be loaded while its charts leave the view, and the moment only be asked for after that. */
  knowsMoment(family) {
    return state.at === null || this.series[family].hasAsked(state);
  }

  knowsMomentOf(panel) {
    return Object.keys(panel.fields).every((family) => this.knowsMoment(family));
  }

  /** Whether what is drawn is what is loaded. */
  isUpToDate(item) {
    return item.drawn === this.versionOf(item.panel);
  }

  versionOf(panel) {
    return Object.keys(panel.fields).map((family) => this.series[family].version).join();
  }

  /** Whether what a panel draws is there, whatever else its families are waiting for. */
  hasData(panel) {
    return Object.entries(panel.fields).every(([family, fields]) => this.series[family].has(fields));
  }

  /** The families that the charts in view need; a tile may need more. */
  wanted() {
    const wanted = new Set(["cpu", "memory", "disk", "network"].filter((family) => family in this.series));
    for (const { panel } of this.seen) {
      for (const [family, fields] of Object.entries(panel.fields)) {
        this.series[family].want(fields);
        wanted.add(family);
      }
    }
    return [...wanted];
  }

  /** Ask for what the tiles show, whether or not their charts are in view. */
  wantTiles(panels = ["cpu", "memory", "disk", "network", "load"]) {
    for (const { panel } of this.items.filter((item) => panels.includes(item.panel.id))) {
      for (const [family, fields] of Object.entries(panel.fields)) this.series[family].want(fields);
    }
  }

  /** Load everything that is needed for a stretch of time, and draw each chart as soon as its data are there. */
  async load(shown, host, interval, signal) {
    for (const { card, lane } of this.items) {
      card.node.setAttribute("aria-busy", "true");
      lane?.forget();
    }
    Object.values(this.series).forEach((series) => series.forget());
    this.look();
    const jobs = this.wanted().map(async (family) => {
      await this.series[family].load(shown, host?.name, interval, signal);
      this.draw(shown, host);
    });
    await Promise.all(jobs);
  }

  /** What takes longer than the charts that it belongs to. */
  async loadLanes(shown, host, interval, signal) {
    const missing = this.lanes().filter((lane) => !lane.isLoaded);
    await Promise.all(missing.map((lane) => lane.load(shown, host?.name, interval, signal)));
    for (const { lane, view } of this.seen) if (view?.columns) lane?.show(shown, view.columns.gaps, host?.logical_cores);
  }

  /** Keep a tick for when it is drawn. @returns {string[]} the families that have to be asked for it */
  append(tick) {
    return this.wanted().filter((family) => !this.series[family].append(tick[family], tick));
  }

  /** Draw up to the newest tick: what is not here is loaded, or everything of a family where that does not do. */
  async extend(shown, host, interval, signal, missing) {
    const jobs = this.wanted().map(async (family) => {
      if (!missing.includes(family)) return this.series[family].show(shown);
      const isEnough = await this.series[family].extend(shown, host?.name, signal);
      return isEnough || this.series[family].load(shown, host?.name, interval, signal);
    });
    const stale = this.lanes().filter((lane) => lane.isStale(shown));
    await Promise.all([...jobs, ...stale.map((lane) => lane.load(shown, host?.name, interval, signal))]);
    this.draw(shown, host);
  }

  /** What every chart in view, and every tile, shows of exactly the tick or bucket that is picked. */
  async loadMoment(host, signal) {
    if (state.at === null) return;
    await Promise.all(this.wanted().map((family) => this.series[family].loadMoment(state, host?.name, signal)));
  }

  /** Load what came into view meanwhile. */
  async complete(shown, host, interval, signal) {
    const missing = this.wanted().filter((family) => !this.series[family].isComplete || !this.knowsMoment(family));
    const load = async (family) => {
      if (!this.series[family].isComplete) await this.series[family].load(shown, host?.name, interval, signal);
      if (state.at !== null) await this.series[family].loadMoment(state, host?.name, signal);
    };
    await Promise.all(missing.map(load));
    this.draw(shown, host);
    await this.loadLanes(shown, host, interval, signal);
  }

  lanes() {
    return this.seen.map((item) => item.lane).filter(Boolean);
  }

  /** Draw what is in view, has its data, and is not drawn of them yet. */
  draw(shown, host) {
    for (const item of this.seen.filter((one) => !this.isUpToDate(one) && this.hasData(one.panel))) {
      item.drawn = this.versionOf(item.panel);
      item.card.node.removeAttribute("aria-busy");
      const { panel, card, lane } = item;
      const columns = columnsOf(panel, this.series);
      item.isEmpty = panel.form === "lines" && (panel.isOptional || columns.times.length > 0) && columns.values.every(isEmpty);
      card.node.classList.toggle("empty", item.isEmpty);
      if (item.isEmpty) continue;
      item.view ??= panel.form === "heat" ? new Heatmap(card) : new Chart(card);
      const calls = (query) => Object.entries(panel.fields).map(([family, fields]) => [`metrics/${family}`, { ...query(this.series[family]), fields: fields.join(","), host: state.host }]);
      card.calls = () => [...calls((series) => series.query(shown)), ...(state.at === null ? [] : calls(() => momentQuery(state)))];
      if (panel.things) card.setThings(names(this.series[panel.things.family].points, panel.things.collection, panel.things.label));
      item.view.show(columns, shown, host);
      lane?.show(shown, columns.gaps, host?.logical_cores);
    }
  }

  /** The cursor or the picked moment is another. */
  followMoment({ isCursor = false } = {}) {
    for (const { view } of isCursor ? this.seen : this.items) if (view?.columns) view.followMoment();
  }

  /** Another thing of a panel was chosen. */
  redraw(shown, host) {
    this.items.forEach((item) => (item.drawn = null));
    this.draw(shown, host);
  }
}

function makeSeries(family) {
  return [family.name, new Series(`metrics/${family.name}`, family.tables.some((table) => table.collection), family.tables)];
}
