// The points of one family over the stretch that is shown.

import { iso, read, seconds } from "./api.js";
import { located, timeline } from "./gaps.js";
import { stepFor } from "./steps.js";

const LIMIT = 1000;
const POINTS = 480;
// A family of many disks or interfaces sends so many values a point that fewer points have to do.
const POINTS_OF_LISTS = 240;
// A step has a mean, a lowest and a highest value: so many single ticks in its place are less to send, say more, and need not
// be asked for again while they follow the time.
const TICKS_PER_STEP = 2;
// Just after a moment: `start` is inclusive.
const AFTER_SECONDS = 0.001;
// A tick that comes later than so many intervals after the last one may not be the next.
const TOLERANCE = 1.5;

/** What is asked for to get exactly the tick or bucket that was picked. @param {{at: number | null, width: number | null}} moment */
export const momentQuery = ({ at, width }) =>
  width === null ? { end: iso(at), limit: 1 } : { start: iso(at), end: iso(at + width - AFTER_SECONDS), step: width, limit: 1 };

export class Series {
  /** @param {string} path of its address @param {boolean} hasLists @param {any[]} tables of the family, as the API describes them */
  constructor(path, hasLists, tables = []) {
    this.path = path;
    this.tables = tables;
    this.most = hasLists ? POINTS_OF_LISTS : POINTS;
    /** @type {Set<string>} */
    this.fields = new Set();
    /** @type {import("./gaps.js").Point[]} */
    this.points = [];
    this.step = null;
    /** Changes with the points: a chart that was drawn of another version is out of date. */
    this.version = 0;
    this.timeline = timeline([], { start: 0, end: 0 });
    /** Of exactly the tick or bucket that is picked; null where nothing was recorded. @type {import("./gaps.js").Point | null} */
    this.moment = null;
    this.questions = this.answered = 0;
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
    /** The moment that was asked for last, whether or not it was answered. @type {{at: number | null, width: number | null} | null} */
    this.picked = null;
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
    const span = shown.end - shown.start;
    const step = span <= TICKS_PER_STEP * this.most * interval ? null : stepFor(span, this.most, interval);
    return this.loadSteps(shown, step, host, signal);
  }

  /** The same in steps of a width, or as it is stored. @param {{start: number, end: number}} shown @param {number | null} step */
  loadSteps(shown, step, host, signal) {
    const loading = { fields: new Set(this.fields), work: Promise.resolve() };
    this.loading = loading;
    loading.work = this.fetchAll(loading, shown, step, host, signal);
    return loading.work;
  }

  /** An answer that a later question has overtaken is dropped, and that one waited for: it asked for more. */
  async fetchAll(loading, shown, step, host, signal) {
    try {
      const answer = await this.ask({ start: iso(shown.start), end: iso(shown.end), step }, host, signal);
      if (this.loading !== loading) return this.loading?.work;
      this.step = step;
      this.points = answer.results;
      this.loaded = loading.fields;
      this.show(shown);
      return answer;
    } finally {
      if (this.loading === loading) this.loading = null;
    }
  }

  /** The moment that is picked, which need not be a point of what is loaded. @param {{at: number, width: number | null}} moment */
  async loadMoment({ at, width }, host, signal) {
    const picked = { at, width };
    this.picked = picked;
    const question = (this.questions += 1);
    const own = this.points.find((point) => isExactly(point, picked));
    const [found] = own ? [own] : (await this.askMoment(picked, host, signal)).results;
    // What was picked before, or with fewer fields, may be answered after it.
    if (question < this.answered) return;
    this.answered = question;
    this.moment = found && covers(found, picked) ? found : null;
  }

  /** The next attempt asks again for what could not be had. @param {{at: number, width: number | null}} picked */
  async askMoment(picked, host, signal) {
    try {
      return await this.ask(momentQuery(picked), host, signal);
    } catch (failure) {
      if (this.picked === picked) this.picked = null;
      throw failure;
    }
  }

  /** Whether that moment was asked for. @param {{at: number | null, width: number | null}} moment */
  hasAsked({ at, width }) {
    return this.picked?.at === at && this.picked.width === width;
  }

  /** The single ticks of a short stretch: those that are loaded, or where they are wider points, asked for. */
  async ticks(shown, interval, host, signal) {
    const isHere = this.step === null && this.points[0]?.time <= shown.start;
    const points = isHere ? this.points : (await this.ask({ start: iso(shown.start), end: iso(shown.end) }, host, signal)).results;
    return points.filter((point) => point.resolution <= interval && point.time >= shown.start);
  }

  /**
   * The newest tick, where it is the next one or here already: then nothing has to be asked for. It is drawn with `show`.
   * @param {any} values of the family at that tick, null where it has none @param {{timestamp: string, resolution: number}} tick
   * @returns {boolean} whether everything up to that tick is here
   */
  append(values, { timestamp, resolution }) {
    const last = this.points.at(-1);
    if (!last || this.step !== null || !this.isComplete || this.loading) return false;
    const time = seconds(timestamp);
    const distance = time - last.time;
    if (resolution !== last.resolution || distance < 0 || distance > TOLERANCE * resolution) return false;
    if (!distance) return true;
    const picked = this.pick(values);
    if (picked) this.points.push(located({ timestamp, resolution, ...picked, time }, null));
    return picked !== null;
  }

  /** Of all that a family has, what is wanted, as its points have it. Null where some of it is missing. */
  pick(values) {
    const made = {};
    for (const { collection, columns, key } of this.tables) {
      const wanted = columns.map((column) => column.name).filter((name) => !this.fields.size || this.fields.has(name));
      if (!wanted.length) continue;
      const things = collection ? values?.[collection] : [values];
      if (!things?.every((thing) => wanted.every((name) => thing?.[name] !== undefined))) return null;
      if (collection) made[collection] = things.map((thing) => only(thing, [...key, ...wanted]));
      else Object.assign(made, only(values, wanted));
    }
    return made;
  }

  /** Only what is new. False where that is so much, or so little of what is wanted, that everything has to be loaded. */
  async extend(shown, host, signal) {
    const last = this.points.at(-1);
    if (!last || !this.isComplete || this.loading) return false;
    // Of what is drawn in wide steps little changes before one has gone by.
    if (this.step && shown.end - this.shownEnd < this.step) return true;
    const { loaded } = this;
    const start = this.step ? last.time : last.time + AFTER_SECONDS;
    const answer = await this.ask({ start: iso(start), step: this.step }, host, signal);
    if (this.loaded !== loaded || this.loading || (answer.next && answer.count >= LIMIT)) return false;
    const first = answer.results[0]?.time ?? Infinity;
    this.points = [...this.points.filter((point) => point.time < first), ...answer.results];
    this.show(shown);
    return true;
  }

  /** What lies before the stretch that is shown is dropped; where the gaps are follows from it. */
  show(shown) {
    this.points = this.points.filter((point) => point.time >= shown.start);
    this.timeline = timeline(this.points, shown);
    this.shownEnd = shown.end;
    this.version += 1;
  }

  /** The address of what is shown, in a format. */
  query(shown) {
    return { start: iso(shown.start), end: iso(shown.end), step: this.step, limit: LIMIT };
  }

  async ask(query, host, signal) {
    const fields = [...this.fields].join(",") || null;
    const answer = await read(this.path, { limit: LIMIT, ...query, fields, host }, signal);
    for (const point of answer.results) located(Object.assign(point, { time: seconds(point.timestamp) }), query.step ?? null);
    return answer;
  }
}

const only = (thing, names) => Object.fromEntries(names.map((name) => [name, thing[name]]));

const isExactly = (point, { at, width }) =>
  width === null ? point.isTick && point.time <= at && at < point.time + point.resolution : !point.isTick && point.time === at && point.resolution === width;

/** Whether a point says anything of what was picked: as in the API, a tick does for one interval. */
const covers = (point, { at, width }) => (width === null ? at - point.time <= point.resolution : at < point.time + point.resolution && point.time < at + width);
