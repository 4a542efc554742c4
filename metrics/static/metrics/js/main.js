// The page: puts the parts together, and follows the newest tick while it is live.

import { ApiError, LONGEST_SECONDS, connection, now, read, seconds } from "./api.js";
import { Board } from "./board.js";
import { cursor, onCursor } from "./cursor.js";
import { byId, showBusy } from "./dom.js";
import { duration, pointWidth } from "./formats.js";
import { Header, showCost } from "./header.js";
import { gettext, interpolate } from "./messages.js";
import { hideNotice, showError, showNotice } from "./notice.js";
import { ProcessDetail } from "./process.js";
import { Processes } from "./processes.js";
import { Pulse } from "./pulse.js";
import { Space } from "./space.js";
import { isHistory, onChange, pending, state, windowOf } from "./state.js";
import { knows, learn } from "./things.js";
import { Tiles } from "./tiles.js";

const LONGEST_PAUSE_SECONDS = 30;
const COST_EVERY_SECONDS = 30;
const FACTS_EVERY_SECONDS = 300;
// About as wide as a chart is.
const CHART_PIXELS = 600;
// A server that is not there is looked for more often than one that refuses.
const LONGEST_SEARCH_SECONDS = 10;
// A slow line is no silent server: so many times as long as the answer before may the next one take.
const PATIENCE = 3;
const FIRST_ANSWER_SECONDS = 3;

class Page {
  constructor(families, hosts) {
    this.hosts = hosts;
    this.newest = now();
    this.failures = 0;
    /** @type {ProcessDetail | null} */
    this.detail = null;
    this.costAt = 0;
    this.factsAt = now();
    // Until the first answer nobody knows how long the line takes.
    this.answerSeconds = FIRST_ANSWER_SECONDS;
    this.request = new AbortController();
    this.board = new Board(families, () => this.showSeen());
    this.board.wantTiles();
    this.tiles = new Tiles();
    this.space = new Space();
    this.processes = new Processes();
    this.header = new Header(() => this.shown);
    this.isTableSeen = false;
    new IntersectionObserver(([entry]) => this.seeTable(entry.isIntersecting)).observe(byId("processes"));
    this.setHost();
    onChange((changed) => this.onState(changed));
    onCursor(() => this.followCursor());
    this.pulse = new Pulse({
      isOn: () => this.isFollowing || this.failures > 0,
      beat: () => this.attempt(() => (this.isFollowing ? this.follow() : this.reload())),
      pause: (busySeconds) => (this.failures ? this.waitSeconds : Math.max(this.interval / 2, this.interval - busySeconds)),
    });
    this.watch = new Pulse({ isOn: () => true, beat: () => this.listen(), pause: () => this.interval / 2 });
    addEventListener("online", () => this.failures && this.pulse.after(0));
    document.documentElement.addEventListener("themechange", () => this.detail?.recolor());
  }

  get interval() {
    return this.host?.interval_seconds ?? 5;
  }

  get isFollowing() {
    return !isHistory() && !state.paused;
  }

  setHost() {
    this.host = this.hosts.find((host) => (state.host ? host.name === state.host : host.is_this_machine)) ?? null;
    if (!this.host) return;
    this.host.bootedAt = this.host.booted_at ? seconds(this.host.booted_at) : null;
    if (this.host.newest_tick) this.newest = seconds(this.host.newest_tick);
    this.header.setHost(this.host, this.hosts);
  }

  /** The first load, and each one of another stretch or host. */
  async reload() {
    this.request.abort();
    this.request = new AbortController();
    const { signal } = this.request;
    this.shown = windowOf(this.end());
    this.header.setStretch(this.shown, "");
    const work = this.load(signal);
    showBusy(byId("processes"), work);
    await work;
    document.documentElement.dataset.ready = "";
  }

  /** The charts first: the rest takes longer over a year, and says less at a glance. */
  async load(signal) {
    const about = [this.shown, this.host, this.interval, signal];
    // What was recorded before is counted as the newest tick says.
    if (isHistory() && this.host?.newest_tick && !knows(this.host.name)) await this.current(signal);
    await Promise.all([this.board.load(...about), this.loadSpace(signal), this.loadTiles(signal)]);
    await this.board.loadMoment(this.host, signal);
    this.showMoment();
    this.setStretch();
    await Promise.all([this.board.loadLanes(...about), this.loadProcesses(signal), this.loadDetail(signal), this.startTiles(signal)]);
  }

  /** The small lines of the tiles, which in the past come with the charts. */
  async startTiles(signal) {
    if (!isHistory()) await this.tiles.startLines(this.board.series, this.newest, this.interval, this.host, signal);
  }

  /** The end of a stretch that follows the time: the newest tick, unless nothing was recorded for a while. */
  end() {
    return this.isStale() ? now() : this.newest;
  }

  isStale() {
    return now() - this.newest > 3 * this.interval + 5;
  }

  loadProcesses(signal = this.request.signal) {
    return this.processes.load(this.shown, this.host, signal);
  }

  async loadDetail(signal = this.request.signal) {
    if (state.process === null && !this.detail) return;
    this.detail ??= new ProcessDetail();
    await this.detail.load(this.shown, this.host, this.interval, signal);
  }

  /** Of the past; the newest comes with the tick. */
  async loadSpace(signal = this.request.signal) {
    if (!this.isFollowing) await this.space.load(this.shown, this.host, signal);
  }

  /** Of a page that was opened paused; before a pause they came with each tick. */
  async loadTiles(signal) {
    if (!state.paused || isHistory() || this.tiles.host === this.host) return;
    this.tiles.showNow(await this.current(signal), this.host);
  }

  async complete() {
    await this.board.complete(this.shown, this.host, this.interval, this.request.signal);
    if (isHistory()) this.showMoment();
  }

  /** A chart came into view. After a failure the next attempt asks for it too. */
  showSeen() {
    if (!this.shown || this.failures) return;
    if (this.board.isComplete) this.board.draw(this.shown, this.host);
    else this.attempt(() => this.complete());
  }

  async onState(changed) {
    this.header.update();
    this.setBadge();
    if (changed.has("host")) {
      this.tiles.forget();
      this.setHost();
    }
    const isOther = ["range", "host", "paused"].some((name) => changed.has(name)) || this.hasMoved(changed);
    await this.attempt(async () => {
      if (isOther) await (pending.load = this.reload());
      else await this.showState(changed);
    });
    if (this.isFollowing) this.pulse.after(0);
  }

  /** Whether another stretch is to be shown: a pick pins the one that is there. */
  hasMoved(changed) {
    if (!["from", "to", "at", "width"].some((name) => changed.has(name))) return false;
    const next = windowOf(this.end());
    return Math.abs(next.start - this.shown.start) > 1 || Math.abs(next.end - this.shown.end) > 1 || !isHistory();
  }

  async showState(changed) {
    if (changed.has("only")) this.board.redraw(this.shown, this.host);
    if (changed.has("process")) await this.loadDetail();
    const isOtherMoment = ["at", "width", "from"].some((name) => changed.has(name));
    if (isOtherMoment) {
      const { signal } = this.request;
      this.board.followMoment();
      await Promise.all([this.board.loadMoment(this.host, signal), this.detail?.loadMoment(signal), this.loadProcesses(), this.loadSpace()]);
    } else if (changed.has("order") || changed.has("filter")) await this.loadProcesses();
    else this.processes.fill();
    this.showMoment();
  }

  /** Marks, legends and tiles of the moment that is picked. */
  showMoment() {
    this.board.followMoment();
    this.detail?.followMoment();
    if (isHistory()) this.tiles.showPast(this.board.series, this.shown, this.host);
  }

  followCursor() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.board.followMoment({ isCursor: true });
      this.detail?.followMoment();
      if (!cursor()) byId("tooltip").hidden = true;
    });
  }

  setStretch() {
    const newest = this.board.series.cpu.points.at(-1);
    this.header.setStretch(this.shown, newest ? pointWidth(newest.resolution, !newest.isTick) : "");
  }

  setBadge() {
    if (isHistory()) this.header.setBadge("history");
    else if (state.paused) this.header.setBadge("paused");
    else if (!this.host?.newest_tick) this.header.setBadge("waiting");
    else this.header.setBadge(this.failures || this.isStale() ? "stale" : "live");
  }

  /** Do something that may fail; say so, and when it is tried again. */
  async attempt(work) {
    try {
      await work();
      this.failures = 0;
      hideNotice();
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof ApiError)) throw error;
      this.fail(error);
    }
    this.setBadge();
    this.sayStale();
  }

  fail(error) {
    this.failures += 1;
    const most = error.status ? LONGEST_PAUSE_SECONDS : LONGEST_SEARCH_SECONDS;
    // Longer with each failure, unless the server says how long.
    this.waitSeconds = error.retryAfterSeconds ?? Math.min(most, this.interval * 2 ** Math.min(this.failures, 5));
    this.pulse.after(this.waitSeconds);
    showError(error, this.waitSeconds);
  }

  /** The newest tick, which a server that is there tells soon: after an interval without a word nobody is there. */
  async current(signal = this.request.signal) {
    const startedAt = performance.now();
    const patience = Math.max(this.interval, PATIENCE * this.answerSeconds) * 2 ** this.failures;
    const newest = await read("metrics/current", { host: state.host }, signal, Math.min(LONGEST_SECONDS, patience));
    this.answerSeconds = (performance.now() - startedAt) / 1000;
    learn(newest);
    return newest;
  }

  /** Where an answer is waited for and nothing is heard meanwhile, ask whether anybody is there at all. */
  async listen() {
    const { heardAt, waitingSince } = connection;
    const isQuiet = connection.waiting && Date.now() / 1000 - Math.max(heardAt, waitingSince) > this.interval / 2;
    if (!isQuiet || this.failures || !this.isFollowing) return;
    const { signal } = this.request;
    try {
      await this.current(signal);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status || connection.heardAt !== heardAt || this.failures) return;
      // Nothing that is on its way will arrive.
      this.request.abort();
      this.request = new AbortController();
      this.fail(error);
      this.setBadge();
    }
  }

  sayStale() {
    if (this.failures || !this.isFollowing || !this.isStale() || !this.host?.newest_tick) return;
    const text = gettext("Nothing has been recorded for %(time)s. Is the recorder running?");
    showNotice("stale", interpolate(text, { time: duration(now() - this.newest) }));
  }

  /** The tiles and the disk space of the newest tick. @returns {Promise<{tick: any, isNew: boolean}>} and whether it is another than before */
  async showNewest() {
    const current = await this.current();
    const newest = seconds(current.timestamp);
    const isNew = newest !== this.newest;
    this.newest = newest;
    this.host.interval_seconds = current.resolution;
    this.tiles.showNow(current, this.host);
    if (this.isFollowing) this.space.showNow(current);
    if (isNew && this.isFollowing) this.header.pulse(this.interval);
    return { tick: current, isNew };
  }

  /** One round of following: the newest tick, then the charts and the table. */
  async follow() {
    if (!this.host?.newest_tick) await this.findHosts();
    const { tick, isNew } = await this.showNewest();
    if (!this.shown) await this.reload();
    else if (isNew || this.isStale()) await this.advance(tick);
    else await this.complete();
    if (this.tiles.isBehind) await this.startTiles(this.request.signal);
    await this.showFacts();
  }

  async advance(tick) {
    const missing = this.board.append(tick);
    // A point that is minutes wide changes little with each tick, and by less than a pixel nothing moves.
    const { start, end } = this.shown;
    if (this.end() - end >= Math.max(this.board.series.cpu.step ?? 0, (end - start) / CHART_PIXELS)) {
      this.shown = windowOf(this.end());
      await this.board.extend(this.shown, this.host, this.interval, this.request.signal, missing);
      this.setStretch();
      if (state.process !== null) await this.loadDetail();
    }
    if (this.isTableSeen) await this.loadProcesses();
    else this.isTableLate = true;
  }

  /** Live, a table that nobody sees waits until it comes into view. */
  async seeTable(isSeen) {
    this.isTableSeen = isSeen;
    if (!isSeen || !this.isTableLate || this.failures || !this.isFollowing) return;
    this.isTableLate = false;
    await this.attempt(() => this.loadProcesses());
  }

  async findHosts() {
    this.hosts = (await read("hosts", {}, this.request.signal)).results;
    this.setHost();
  }

  async showFacts() {
    const time = now();
    if (time - this.costAt >= COST_EVERY_SECONDS) {
      this.costAt = time;
      await showCost();
    }
    if (time - this.factsAt < FACTS_EVERY_SECONDS) return;
    this.factsAt = time;
    await this.findHosts();
  }

  async start() {
    this.setBadge();
    const isLive = this.isFollowing;
    // Where there is a tick, the charts need not wait for the newest.
    if (!isLive || this.host?.newest_tick) await this.attempt(() => Promise.all([this.reload(), isLive && this.showNewest()]));
    if (!this.failures) this.pulse.after(0);
    this.watch.after(0);
    if (!this.isFollowing) await showCost();
  }
}

/** Ask until there is an answer: without the families there is nothing to lay out. */
async function begin(waitSeconds = 1) {
  try {
    const [families, hosts] = await Promise.all([read("families"), read("hosts")]);
    hideNotice();
    await new Page(families.results, hosts.results).start();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    showError(error, waitSeconds);
    setTimeout(() => begin(Math.min(LONGEST_PAUSE_SECONDS, waitSeconds * 2)), waitSeconds * 1000);
  }
}

if (window.uPlot) await begin();
else showNotice("error", gettext("The charts' library is missing: see what `manage.py check` says."));
