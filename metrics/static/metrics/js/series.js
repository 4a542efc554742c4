// The points of one family over the stretch that is shown.

import { iso, read, seconds } from "./api.js";
import { timeline } from "./gaps.js";
import { stepFor } from "./steps.js";

const LIMIT = 1000;
const POINTS = 480;
// A family of many disks or interfaces sends so many values a point that fewer points have to do.
const POINTS_OF_LISTS = 240;
// Just after a moment: `start` is inclusive.
const AFTER_SECONDS = 0.001;

export class Series {
  /** @param {string} family @param {boolean} hasLists */
  constructor(family, hasLists) {
    this.family = family;
    this.most = hasLists ? POINTS_OF_LISTS : POINTS;
    /** @type {Set<string>} */
    this.fields = new Set();
    /** @type {import("./gaps.js").Point[]} */
    this.points = [];
    this.step = null;
    this.isComplete = false;
    this.timeline = timeline([], { start: 0, end: 0 });
  }

  /** Ask for more fields; what is loaded is then not enough. @param {Iterable<string>} fields */
  want(fields) {
    for (const field of fields) {
      if (!this.fields.has(field)) this.isComplete = false;
      this.fields.add(field);
    }
  }

  /** Everything in a stretch of time. @param {{start: number, end: number}} shown */
  async load(shown, host, interval, signal) {
    const step = stepFor(shown.end - shown.start, this.most, interval);
    const query = { start: iso(shown.start), end: iso(shown.end), step };
    const answer = await this.ask(query, host, signal);
    this.step = step;
    this.points = answer.results;
    this.isComplete = true;
    this.show(shown);
  }

  /** Only what is new. False where that is so much that everything has to be loaded. */
  async extend(shown, host, signal) {
    const last = this.points.at(-1);
    if (!last || !this.isComplete) return false;
    const start = this.step ? last.time : last.time + AFTER_SECONDS;
    const answer = await this.ask({ start: iso(start), step: this.step }, host, signal);
    if (answer.next && answer.count >= LIMIT) return false;
    const first = answer.results[0]?.time ?? Infinity;
    this.points = [...this.points.filter((point) => point.time < first && point.time >= shown.start), ...answer.results];
    this.show(shown);
    return true;
  }

  /** Where the gaps are follows from the stretch that is shown. */
  show(shown) {
    this.timeline = timeline(this.points, shown);
  }

  /** How wide a point is, in seconds; 0 without any. */
  get resolution() {
    return this.points.at(-1)?.resolution ?? 0;
  }

  /** The address of what is shown, in a format. */
  query(shown) {
    const fields = [...this.fields].join(",");
    return { start: iso(shown.start), end: iso(shown.end), step: this.step, limit: LIMIT, fields };
  }

  async ask(query, host, signal) {
    const fields = [...this.fields].join(",");
    const answer = await read(`metrics/${this.family}`, { ...query, limit: LIMIT, fields, host }, signal);
    for (const point of answer.results) point.time = seconds(point.timestamp);
    return answer;
  }
}
