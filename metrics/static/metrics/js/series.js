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
    /** Changes with the points: a chart that was drawn of another version is out of date. */
    this.version = 0;
    this.timeline = timeline([], { start: 0, end: 0 });
    this.forget();
  }

  /** Ask for more fields; what is loaded may then not be enough. @param {Iterable<string>} fields */
  want(fields) {
    for (const field of fields) this.fields.add(field);
  }

  /** Another stretch or host is shown: nothing of what is loaded, or on its way, belongs to it. */
  forget() {
    /** What the points that are there were asked for; null where there are none yet. @type {Set<string> | null} */
    this.loaded = null;
    /** The load that is on its way. @type {{fields: Set<string>, work: Promise<void>} | null} */
    this.loading = null;
  }

  /** @param {Iterable<string>} fields */
  has(fields) {
    return this.loaded !== null && [...fields].every((field) => this.loaded.has(field));
  }

  get isComplete() {
    return this.has(this.fields);
  }

  /** Everything in a stretch of time, unless all of it is on its way already. @param {{start: number, end: number}} shown */
  load(shown, host, interval, signal) {
    const isAsked = this.loading && [...this.fields].every((field) => this.loading.fields.has(field));
    if (isAsked) return this.loading.work;
    const loading = { fields: new Set(this.fields), work: Promise.resolve() };
    this.loading = loading;
    loading.work = this.fetchAll(loading, shown, host, interval, signal);
    return loading.work;
  }

  /** An answer that a later question has overtaken is dropped: it may lack what that one asked for. */
  async fetchAll(loading, shown, host, interval, signal) {
    const step = stepFor(shown.end - shown.start, this.most, interval);
    try {
      const answer = await this.ask({ start: iso(shown.start), end: iso(shown.end), step }, host, signal);
      if (this.loading !== loading) return;
      this.step = step;
      this.points = answer.results;
      this.loaded = loading.fields;
      this.show(shown);
    } finally {
      if (this.loading === loading) this.loading = null;
    }
  }

  /** Only what is new. False where that is so much, or so little of what is wanted, that everything has to be loaded. */
  async extend(shown, host, signal) {
    const last = this.points.at(-1);
    if (!last || !this.isComplete || this.loading) return false;
    const { loaded } = this;
    const start = this.step ? last.time : last.time + AFTER_SECONDS;
    const answer = await this.ask({ start: iso(start), step: this.step }, host, signal);
    if (this.loaded !== loaded || this.loading || (answer.next && answer.count >= LIMIT)) return false;
    const first = answer.results[0]?.time ?? Infinity;
    this.points = [...this.points.filter((point) => point.time < first && point.time >= shown.start), ...answer.results];
    this.show(shown);
    return true;
  }

  /** Where the gaps are follows from the stretch that is shown. */
  show(shown) {
    this.timeline = timeline(this.points, shown);
    this.version += 1;
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
