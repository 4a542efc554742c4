// Below the CPU chart: who used the most CPU, bucket by bucket. The question is answered without a click.

import { ApiError, iso, read, seconds } from "./api.js";
import { element } from "./dom.js";
import { EventMarks } from "./events.js";
import { measured, moment } from "./formats.js";
import { gettext, interpolate } from "./messages.js";
import { change } from "./state.js";
import { stepFor } from "./steps.js";

// Wide enough for a name, or for the greater part of a long one.
const BLOCK_PIXELS = 76;
const [FEWEST_BUCKETS, MOST_BUCKETS] = [3, 15];
// The room of the axis, as the style sheet's .lane leaves it too.
const AXIS_PIXELS = 70;
// Of a name so much is shown at the least, or nothing of it: its end is seen by pointing at the block.
const [EDGE_PIXELS, LETTER_PIXELS, LEAST_LETTERS] = [9, 7, 8];
const TINTS = 6;
// The lane is asked for again when so much of a bucket has gone by.
const FRESH_SHARE = 0.5;

export class Lane {
  /** @param {import("./card.js").Card} card that it belongs to */
  constructor(card) {
    this.list = element("ul", { class: "lane", "aria-label": gettext("The process that used the most CPU") });
    this.list.hidden = true;
    this.card = card;
    /** In pixels, as the chart has it: to ask for it while drawing would have the page laid out twice. */
    this.width = 0;
    new ResizeObserver(([entry]) => (this.width = entry.contentRect.width - AXIS_PIXELS)).observe(card.plot);
    card.node.append(this.list);
    this.events = new EventMarks(card);
    this.forget();
  }

  /** Another stretch or host is shown. */
  forget() {
    this.isLoaded = false;
    this.loadedAt = 0;
    this.work = null;
    this.events.forget();
  }

  /** Unless it is on its way already. @param {{start: number, end: number}} shown */
  load(shown, host, interval, signal) {
    if (this.work) return this.work;
    const work = this.ask(shown, host, interval, signal).finally(() => {
      if (this.work === work) this.work = null;
    });
    this.work = work;
    return work;
  }

  async ask(shown, host, interval, signal) {
    this.width ||= this.card.plot.clientWidth - AXIS_PIXELS;
    const buckets = Math.floor(this.width / BLOCK_PIXELS);
    const step = stepFor(shown.end - shown.start, Math.min(MOST_BUCKETS, Math.max(FEWEST_BUCKETS, buckets)), interval) ?? interval;
    const query = { start: iso(shown.start), end: iso(shown.end), step, limit: MOST_BUCKETS * 4, host };
    this.step = step;
    this.loadedAt = shown.end;
    await Promise.all([this.askRuns(query, signal), this.events.load(shown, host, step, signal)]);
    this.isLoaded = true;
  }

  async askRuns(query, signal) {
    try {
      this.runs = runs((await read("metrics/cpu/top", query, signal)).results);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
      this.runs = [];
    }
  }

  /** Whether enough time went by for another answer. */
  isStale(shown) {
    return shown.end - this.loadedAt >= Math.max(5, this.step * FRESH_SHARE);
  }

  /**
   * Where the blocks lie follows from the stretch that is shown; none goes over a gap.
   * @param {[number, number][]} gaps @param {number} [cores] of the machine: a block weighs what it used of them
   */
  show(shown, gaps, cores = 1) {
    this.events.show(shown);
    const visible = (this.runs ?? []).flatMap((run) => withoutGaps(run, gaps)).filter((run) => run.end > shown.start && run.start < shown.end);
    this.list.hidden = visible.length === 0;
    while (this.list.childElementCount > visible.length) this.list.lastElementChild.remove();
    while (this.list.childElementCount < visible.length) this.list.append(block());
    visible.forEach((run, place) => fill(this.list.children[place], run, shown, { cores, width: this.width }));
  }
}

/** Neighbouring buckets of one name as one run, of the process that used the most among them. */
function runs(buckets) {
  const made = [];
  for (const bucket of buckets) {
    const start = seconds(bucket.timestamp);
    const last = made.at(-1);
    const end = start + bucket.resolution;
    if (last && last.name === bucket.name && start - last.end < bucket.resolution / 2) {
      const { id, pid, cpu_percent } = (bucket.cpu_percent ?? 0) > (last.cpu_percent ?? 0) ? bucket : last;
      Object.assign(last, { end, id, pid, cpu_percent });
    } else {
      made.push({ ...bucket, start, end });
    }
  }
  return made;
}

/** What is left of a run between the gaps. */
function withoutGaps(run, gaps) {
  const made = [];
  let { start } = run;
  for (const [from, to] of gaps.filter(([first, last]) => last > run.start && first < run.end)) {
    if (from > start) made.push({ ...run, start, end: from });
    start = to;
  }
  return start < run.end ? [...made, { ...run, start }] : made;
}

function block() {
  const button = element("button", { type: "button" });
  button.addEventListener("click", () => change({ process: Number(button.dataset.process) }));
  return element("li", {}, button);
}

function fill(item, run, shown, { cores, width }) {
  const share = (time) => Math.min(1, Math.max(0, (time - shown.start) / (shown.end - shown.start)));
  const [left, right] = [share(run.start), share(run.end)];
  const button = item.firstElementChild;
  item.style.left = `${left * 100}%`;
  item.style.width = `${(right - left) * 100}%`;
  item.className = `tint-${tint(run.name)}`;
  button.classList.toggle("narrow", (right - left) * width < EDGE_PIXELS + LETTER_PIXELS * Math.min(LEAST_LETTERS, run.name.length));
  button.style.setProperty("--weight", `${(weight(run.cpu_percent, cores) * 100).toFixed(1)}%`);
  button.dataset.process = run.id;
  button.textContent = run.name;
  button.title = interpolate(gettext("%(name)s (%(pid)s), up to %(cpu)s, from %(time)s"), {
    name: run.name,
    pid: run.pid,
    cpu: measured(run.cpu_percent, "percent"),
    time: moment(run.start),
  });
}

/** How high a block is filled: by its share of the machine, the root of it, so that a hundredth can still be seen. */
const weight = (percent, cores) => Math.sqrt(Math.min(1, Math.max(0, (percent ?? 0) / (100 * cores))));

/** The same name has the same tint, wherever it stands. */
function tint(name) {
  let sum = 0;
  for (const character of name) sum = (sum * 31 + character.codePointAt(0)) % 9973;
  return sum % TINTS;
}
