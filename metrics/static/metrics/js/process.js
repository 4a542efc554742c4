// One process: who it is, and its CPU, memory and disk over the stretch that is shown.

import { ApiError, seconds } from "./api.js";
import { Card } from "./card.js";
import { Chart } from "./chart.js";
import { columnsOf } from "./columns.js";
import { byId, element } from "./dom.js";
import { moment } from "./formats.js";
import { gettext, interpolate } from "./messages.js";
import { Series, momentQuery } from "./series.js";
import { change, state } from "./state.js";

const own = (name) => ({ family: "process", value: (point) => point[name] ?? null, high: (point) => point[`${name}_max`] ?? null });

/** @type {import("./panels.js").Panel[]} */
const PANELS = [
  {
    id: "process-cpu",
    order: "cpu",
    title: gettext("Its CPU"),
    help: gettext("100% is one core. Where the process was not among the highest, nothing is known of it."),
    form: "lines",
    unit: "percent",
    fields: { process: [] },
    lines: [
      { label: gettext("CPU"), color: "--blue", ...own("cpu_percent") },
      { label: gettext("child processes that ended"), color: "--orange", ...own("children_cpu_percent") },
    ],
  },
  {
    id: "process-memory",
    order: "memory",
    title: gettext("Its memory"),
    help: gettext("Resident memory, what it shares with others included."),
    form: "lines",
    unit: "bytes",
    fields: { process: [] },
    lines: [{ label: gettext("resident"), color: "--green", ...own("rss_bytes") }],
    top: (highest) => Math.max(1, highest * 1.15),
  },
  {
    id: "process-io",
    order: "io",
    title: gettext("Its disk I/O"),
    help: gettext("Bytes read, above, and written, below, each second."),
    form: "mirror",
    unit: "bytes_per_second",
    fields: { process: [] },
    lines: [
      { label: gettext("read"), color: "--blue", ...own("read_bytes_per_second") },
      { label: gettext("written"), color: "--orange", down: true, ...own("write_bytes_per_second") },
    ],
    top: (highest) => Math.max(1e3, highest * 1.08),
  },
];

export class ProcessDetail {
  constructor() {
    this.node = byId("process-detail");
    this.charts = [];
    byId("process-close").addEventListener("click", () => this.close());
    this.node.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.defaultPrevented) this.close();
    });
  }

  close() {
    change({ process: null });
    byId("processes").focus({ preventScroll: true });
  }

  /** @param {{start: number, end: number}} shown */
  async load(shown, host, interval, signal) {
    if (state.process === null) return this.hide();
    const series = new Series(`processes/${state.process}`, true);
    try {
      const answer = await series.load(shown, undefined, interval, signal);
      if (state.at !== null) await series.loadMoment(state, undefined, signal);
      this.show(answer, series, shown, host);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
      this.hide();
    }
    return undefined;
  }

  hide() {
    this.node.hidden = true;
    this.shownId = null;
  }

  show(answer, series, shown, host) {
    const isNew = this.shownId !== answer.id;
    this.node.hidden = false;
    this.shownId = answer.id;
    if (!this.charts.length) this.charts = PANELS.map((panel) => new Chart(new Card(panel, byId("process-charts"))));
    this.describe(answer);
    this.series = series;
    // Where it is not known it need not have been away.
    series.timeline.gaps = [];
    for (const chart of this.charts) {
      chart.path = () => series.path;
      chart.show(columnsOf(chart.panel, { process: series }), shown, host);
      chart.card.calls = () => [series.query(shown), ...(state.at === null ? [] : [momentQuery(state)])].map((query) => [series.path, query]);
    }
    if (isNew) this.node.scrollIntoView({ block: "nearest" });
  }

  describe(answer) {
    const facts = [
      [gettext("user"), answer.username ?? "–"],
      [gettext("started"), moment(seconds(answer.started_at))],
      [gettext("first seen"), moment(seconds(answer.first_seen))],
      [gettext("last seen"), moment(seconds(answer.last_seen))],
    ];
    byId("process-title").textContent = interpolate(gettext("%(name)s (PID %(pid)s)"), { name: answer.name, pid: answer.pid });
    byId("process-facts").replaceChildren(...facts.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))));
    byId("process-command").textContent = answer.command ?? "";
  }

  /** Of exactly the tick or bucket that is picked. */
  async loadMoment(signal) {
    if (!this.node.hidden && state.at !== null) await this.series.loadMoment(state, undefined, signal);
  }

  followMoment() {
    if (!this.node.hidden) this.charts.forEach((chart) => chart.columns && chart.followMoment());
  }

  recolor() {
    this.charts.forEach((chart) => chart.recolor());
  }
}
