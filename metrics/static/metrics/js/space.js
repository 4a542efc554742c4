// How full each file system is: a bar each, the fullest first. Newest, or at the picked moment.

import { iso, read, seconds } from "./api.js";
import { Card } from "./card.js";
import { byId, element, setText } from "./dom.js";
import { measured } from "./formats.js";
import { gettext, interpolate } from "./messages.js";
import { state } from "./state.js";

const WARN_PERCENT = 80;
const FULL_PERCENT = 92;
// A point that ended so many of its widths before a moment says nothing of it.
const LATEST = 2.5;
const FIELDS = "total_bytes,used_bytes,free_bytes,percent,inodes_percent";

export class Space {
  constructor() {
    this.card = new Card({ id: "space", title: gettext("Disk space"), form: "space", unit: "bytes", fields: {}, lines: [] }, byId("grid"));
    this.list = element("ul", { class: "volumes", tabindex: "0", "aria-labelledby": "space-title" });
    this.card.plot.append(this.list);
  }

  /** The newest tick, as /metrics/current gives it. */
  showNow(current) {
    this.card.calls = () => [["metrics/disk", { limit: 1, fields: FIELDS, host: state.host }]];
    this.fill(current.disk);
  }

  /** The picked moment, or the end of a stretch of the past: one point, whatever the charts show. */
  async load(shown, host, signal) {
    const end = state.at === null ? shown.end : state.at + Math.max(0, (state.width ?? 0) - 0.001);
    const query = { end: iso(end), limit: 1, fields: FIELDS, host: host?.name };
    const [point] = (await read("metrics/disk", query, signal)).results;
    this.card.calls = () => [["metrics/disk", query]];
    this.fill(point && end - seconds(point.timestamp) < LATEST * point.resolution ? point : null);
  }

  fill(point) {
    const volumes = [...(point?.partitions ?? [])].filter((one) => one.total_bytes).sort((a, b) => b.percent - a.percent);
    while (this.list.childElementCount > volumes.length) this.list.lastElementChild.remove();
    while (this.list.childElementCount < volumes.length) this.list.append(row());
    volumes.forEach((volume, place) => fillRow(this.list.children[place], volume));
  }
}

const row = () => element("li", {}, element("b"), element("span"), element("div", { class: "bar" }, element("i")), element("small"));

function fillRow(item, volume) {
  const [name, percent, bar, text] = item.children;
  setText(name, volume.mountpoint);
  name.title = `${volume.device} (${volume.fstype})`;
  setText(percent, measured(volume.percent, "percent"));
  bar.firstElementChild.style.width = `${Math.min(100, volume.percent)}%`;
  bar.dataset.state = volume.percent >= FULL_PERCENT ? "full" : volume.percent >= WARN_PERCENT ? "warn" : "";
  const values = { used: measured(volume.used_bytes, "bytes"), total: measured(volume.total_bytes, "bytes"), inodes: measured(volume.inodes_percent, "percent") };
  const words = volume.inodes_percent === null ? gettext("%(used)s of %(total)s") : gettext("%(used)s of %(total)s, inodes %(inodes)s");
  setText(text, interpolate(words, values));
}
