// Five numbers: now, at the picked moment, or the means of a stretch of the past.

import { seconds } from "./api.js";
import { byId, element, setText } from "./dom.js";
import { cores, measured } from "./formats.js";
import { gettext, interpolate } from "./messages.js";
import { meanPoint, thinned } from "./past.js";
import { isHistory, state } from "./state.js";
import { amount } from "./things.js";

const SVG = "http://www.w3.org/2000/svg";
// The small line shows so many ticks, or points of the past.
const RECENT = 60;
// A line goes on over a distance of so many ticks at the most.
const TOLERANCE = 1.5;

const deviceTotal = (name) => (point) => amount(point, "devices", "device", name);
const interfaceTotal = (name) => (point) => amount(point, "interfaces", "interface", name);
const [readRate, writeRate] = [deviceTotal("read_bytes_per_second"), deviceTotal("write_bytes_per_second")];
const [received, sent] = [interfaceTotal("received_bytes_per_second"), interfaceTotal("sent_bytes_per_second")];
const plus = (one, other) => (one === null && other === null ? null : (one ?? 0) + (other ?? 0));
const percent = (value) => measured(value, "percent");
const bytes = (value) => measured(value, "bytes");
const rate = (value) => measured(value, "bytes_per_second");

/**
 * Which number stands for a family, and one line of its parts.
 * @type {{panel: string, family: string, title: string, unit: string, highest?: number, value(point: any): number | null, split(point: any, host: any): string}[]}
 */
const TILES = [
  {
    panel: "cpu",
    family: "cpu",
    title: gettext("CPU"),
    unit: "percent",
    highest: 100,
    value: (point) => point.percent,
    split: (point) => `${gettext("user")} ${percent(point.user_percent)} · ${gettext("system")} ${percent(point.system_percent)}`,
  },
  {
    panel: "memory",
    family: "memory",
    title: gettext("Memory"),
    unit: "percent",
    highest: 100,
    value: (point) => point.percent,
    split: (point) => interpolate(gettext("%(used)s of %(total)s"), { used: bytes(point.used_bytes), total: bytes(point.total_bytes) }),
  },
  {
    panel: "disk",
    family: "disk",
    title: gettext("Disk"),
    unit: "bytes_per_second",
    value: (point) => plus(readRate(point), writeRate(point)),
    split: (point) => `${gettext("read")} ${rate(readRate(point))} · ${gettext("written")} ${rate(writeRate(point))}`,
  },
  {
    panel: "network",
    family: "network",
    title: gettext("Network"),
    unit: "bytes_per_second",
    value: (point) => plus(received(point), sent(point)),
    split: (point) => `↓ ${rate(received(point))} · ↑ ${rate(sent(point))}`,
  },
  {
    panel: "load",
    family: "cpu",
    title: gettext("Load"),
    unit: "load",
    value: (point) => point.load_1,
    split: (point, host) =>
      [interpolate(gettext("%(load)s in 5 min"), { load: measured(point.load_5, "load") }), cores(host)].filter(Boolean).join(" · "),
  },
];

export class Tiles {
  constructor() {
    this.tiles = TILES.map((tile) => ({ ...tile, recent: [], ...makeTile(tile) }));
    byId("tiles").append(...this.tiles.map((tile) => tile.node));
  }

  /** The newest tick, as /metrics/current gives it. */
  showNow(current, host) {
    this.host = host;
    const { resolution } = current;
    const time = seconds(current.timestamp);
    const before = this.tiles[0].recent.at(-1)?.time ?? -Infinity;
    /** Whether ticks went by that nobody followed, as in a tab that was hidden. */
    this.isBehind = time - before > TOLERANCE * resolution;
    for (const tile of this.tiles) {
      const point = current[tile.family];
      this.add(tile, [{ time, resolution, value: point ? (tile.value(point) ?? null) : null }]);
      if (isHistory()) continue;
      this.fill(tile, point, host);
      drawLine(tile, tile.recent, { start: time - (RECENT - 1) * resolution, end: time });
    }
  }

  /** More of the newest ticks, each once. */
  add(tile, values) {
    const known = new Map([...tile.recent, ...values].map((one) => [one.time, one]));
    tile.recent = [...known.values()].sort((a, b) => a.time - b.time).slice(-RECENT);
  }

  /** The picked moment, or the means of the stretch. @param {Record<string, import("./series.js").Series>} series @param {{start: number, end: number}} shown */
  showPast(series, shown, host) {
    for (const tile of this.tiles) {
      const { points } = series[tile.family];
      this.fill(tile, state.at === null ? meanPoint(points) : series[tile.family].moment, host);
      drawLine(tile, thinned(points.map((one) => ({ ...one, value: tile.value(one) ?? null })), RECENT), shown);
    }
    setText(byId("tiles-note"), state.at === null ? gettext("Means of the stretch that is shown") : "");
  }

  /**
   * Live or paused: the ticks of the last minutes, whatever the charts show. Those that they have not loaded are asked for.
   * @param {Record<string, import("./series.js").Series>} series @param {number} newest
   */
  async startLines(series, newest, interval, host, signal) {
    setText(byId("tiles-note"), "");
    const shown = { start: newest - (RECENT - 1) * interval, end: newest };
    const families = [...new Set(this.tiles.map((tile) => tile.family))];
    const load = async (family) => {
      const points = await series[family].ticks(shown, interval, host?.name, signal);
      for (const tile of this.tiles.filter((one) => one.family === family)) {
        this.add(tile, points.map((point) => ({ ...point, value: tile.value(point) ?? null })));
        if (!isHistory()) drawLine(tile, tile.recent, shown);
      }
    };
    await Promise.all(families.map(load));
  }

  /** Another host has other values. */
  forget() {
    this.host = null;
    for (const tile of this.tiles) tile.recent = [];
  }

  fill(tile, point, host) {
    setText(tile.number, measured(point ? tile.value(point) : null, tile.unit));
    setText(tile.parts, point ? tile.split(point, host) : gettext("nothing recorded"));
  }
}

function makeTile(tile) {
  const path = document.createElementNS(SVG, "path");
  const line = document.createElementNS(SVG, "svg");
  line.setAttribute("viewBox", "0 0 100 24");
  line.setAttribute("preserveAspectRatio", "none");
  line.setAttribute("aria-hidden", "true");
  line.append(path);
  const number = element("span", { class: "value" }, "–");
  const parts = element("span", { class: "parts" });
  const node = element("a", { class: "tile", href: `#panel-${tile.panel}` }, element("span", { class: "name" }, tile.title), number, parts, line);
  return { node, number, parts, path };
}

/**
 * A line through the values, each where its time is, and none over what is missing.
 * @param {{path: SVGPathElement, highest?: number}} tile @param {{time: number, resolution: number, value: number | null}[]} values
 * @param {{start: number, end: number}} shown
 */
function drawLine({ path, highest }, values, { start, end }) {
  const seen = values.filter(({ time, value }) => value !== null && time >= start && time <= end);
  const top = highest ?? seen.reduce((most, { value }) => Math.max(most, value), 1e-9);
  let text = "";
  let before = { time: -Infinity, resolution: 0 };
  for (const one of seen) {
    const { time, resolution, value } = one;
    const [x, y] = [(100 * (time - start)) / (end - start || 1), 23 - (22 * Math.min(top, value)) / top];
    text += `${time - before.time <= TOLERANCE * Math.max(before.resolution, resolution) ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
    before = one;
  }
  path.setAttribute("d", text);
}
