// One process: who it is, and its CPU, memory and disk over the stretch that is shown.

import { ApiError, iso, read, seconds } from "./api.js";
import { Card } from "./card.js";
import { Chart } from "./chart.js";
import { columnsOf } from "./columns.js";
import { byId, element } from "./dom.js";
import { moment } from "./formats.js";
import { timeline } from "./gaps.js";
import { gettext, interpolate } from "./messages.js";
import { change, state } from "./state.js";
import { stepFor } from "./steps.js";

const POINTS = 240;
const own = (name) => ({ family: "process", value: (point) => point[name] ?? null, high: (point) => point[`${name}_max`] ?? null });

const PANELS = [
  {
    id: "process-cpu",
    title: gettext("Its CPU"),
    help: gettext("100% is one core. Where the process was not among the highest, nothing is known of it."),
    form: "lines",
    unit: "percent",
    fields: { process: [] },
    lines: [{ label: gettext("CPU"), color: "--blue", ...own("cpu_percent") }],
  },
  {
    id: "process-memory",
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
    const step = stepFor(shown.end - shown.start, POINTS, interval);
    const query = { start: iso(shown.start), end: iso(shown.end), step, limit: 1000 };
    try {
      const answer = await read(`processes/${state.process}`, query, signal);
      this.show(answer, shown, step, host, query);
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

  show(answer, shown, step, host, query) {
    const isNew = this.shownId !== answer.id;
    this.node.hidden = false;
    this.shownId = answer.id;
    if (!this.charts.length) this.charts = PANELS.map((panel) => new Chart(new Card(panel, byId("process-charts"))));
    this.describe(answer);
    const points = answer.results.map((point) => ({ ...point, time: seconds(point.timestamp) }));
    const series = { process: { points, step, timeline: { ...timeline(points, shown), gaps: [] } } };
    for (const chart of this.charts) {
      chart.show(columnsOf(chart.panel, series), shown, host);
      chart.card.calls = [[`processes/${answer.id}`, query]];
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

  followMoment() {
    if (!this.node.hidden) this.charts.forEach((chart) => chart.columns && chart.followMoment());
  }

  recolor() {
    this.charts.forEach((chart) => chart.recolor());
  }
}
