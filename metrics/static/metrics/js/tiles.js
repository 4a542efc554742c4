// Five numbers: now, at the picked moment, or the means of a stretch of the past.

import { byId, element, setText } from "./dom.js";
import { cores, measured } from "./formats.js";
import { nearest } from "./gaps.js";
import { gettext, interpolate } from "./messages.js";
import { meanPoint, thinned } from "./past.js";
import { isHistory, state } from "./state.js";
import { amount } from "./things.js";

const SVG = "http://www.w3.org/2000/svg";
// The small line shows so many points.
const RECENT = 60;

const deviceTotal = (name) => (point) => amount(point, "devices", "device", name);
const interfaceTotal = (name) => (point) => amount(point, "interfaces", "interface", name);
const [readRate, writeRate] = [deviceTotal("read_bytes_per_second"), deviceTotal("write_bytes_per_second")];
const [received, sent] = [interfaceTotal("received_bytes_per_second"), interfaceTotal("sent_bytes_per_second")];
const plus = (one, other) => (one === null && other === null ? null : (one ?? 0) + (other ?? 0));
const percent = (value) => measured(value, "percent");
const bytes = (value) => measured(value, "bytes");
const rate = (value) => measured(value, "bytes_per_second");

/** Which number stands for a family, and one line of its parts. */
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
    for (const tile of this.tiles) {
      const point = current[tile.family];
      tile.recent = [...tile.recent, point ? (tile.value(point) ?? null) : null].slice(-RECENT);
      if (isHistory()) continue;
      this.fill(tile, point, host);
      drawLine(tile.path, tile.recent, tile.highest);
    }
  }

  /** The picked moment, or the means of the stretch. @param {Record<string, import("./series.js").Series>} series */
  showPast(series, host) {
    for (const tile of this.tiles) {
      const { times, points } = series[tile.family].timeline;
      const point = state.at === null ? meanPoint(points) : points[nearest(times, state.at)];
      this.fill(tile, point, host);
      drawLine(tile.path, thinned(points.map((one) => (one ? (tile.value(one) ?? null) : null)), RECENT), tile.highest);
    }
    setText(byId("tiles-note"), state.at === null ? gettext("Means of the stretch that is shown") : "");
  }

  /** Before live values come: the newest of what the charts have loaded. */
  startLine(series) {
    for (const tile of this.tiles.filter((one) => one.recent.length < 2)) {
      const points = series[tile.family].timeline.points.slice(-RECENT);
      tile.recent = points.map((point) => (point ? (tile.value(point) ?? null) : null));
      drawLine(tile.path, tile.recent, tile.highest);
    }
    setText(byId("tiles-note"), "");
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

/** A line through the values, from the left end to the right one. */
function drawLine(path, values, fixedTop) {
  const top = fixedTop ?? Math.max(...values.map((value) => value ?? 0), 1e-9);
  const width = 100 / Math.max(1, values.length - 1);
  let text = "";
  let isDown = false;
  values.forEach((value, place) => {
    if (value === null) {
      isDown = false;
      return;
    }
    text += `${isDown ? "L" : "M"}${(place * width).toFixed(1)} ${(23 - (22 * Math.min(top, value)) / top).toFixed(1)}`;
    isDown = true;
  });
  path.setAttribute("d", text);
}
