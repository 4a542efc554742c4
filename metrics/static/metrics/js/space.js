// How full each file system is: a bar each, the fullest first.

import { element, setText } from "./dom.js";
import { measured } from "./formats.js";
import { nearest } from "./gaps.js";
import { gettext, interpolate } from "./messages.js";
import { state } from "./state.js";

const WARN_PERCENT = 80;
const FULL_PERCENT = 92;

export class Space {
  /** @param {import("./card.js").Card} card */
  constructor(card) {
    this.card = card;
    this.list = element("ul", { class: "volumes", tabindex: "0", "aria-labelledby": `${card.panel.id}-title` });
    card.plot.append(this.list);
  }

  show(columns) {
    this.columns = columns;
    this.followMoment();
  }

  /** The picked moment's, else the newest. */
  followMoment() {
    const { times, points } = this.columns;
    const point = state.at === null ? points.findLast(Boolean) : points[nearest(times, state.at)];
    const volumes = [...(point?.partitions ?? [])].filter((one) => one.total_bytes).sort((a, b) => b.percent - a.percent);
    while (this.list.childElementCount > volumes.length) this.list.lastElementChild.remove();
    while (this.list.childElementCount < volumes.length) this.list.append(row());
    volumes.forEach((volume, place) => fill(this.list.children[place], volume));
  }

  recolor() {}
}

const row = () => element("li", {}, element("b"), element("span"), element("div", { class: "bar" }, element("i")), element("small"));

function fill(item, volume) {
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
