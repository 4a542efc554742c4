// The head of the page: how things stand, which host, which stretch of time.

import { now, read } from "./api.js";
import { open as openCustom } from "./custom.js";
import { byId, element, setText } from "./dom.js";
import { cores, duration, measured, stretch } from "./formats.js";
import { gettext, interpolate } from "./messages.js";
import { RANGES, backToLive, change, isHistory, showStretch, state } from "./state.js";

/** What the badge says, by its shape (the style sheet's) and its word. */
const BADGES = {
  live: gettext("Live"),
  paused: gettext("Paused"),
  history: gettext("History"),
  stale: gettext("Stale"),
  waiting: gettext("Waiting"),
};
const THEMES = ["auto", "light", "dark"];

export class Header {
  /** @param {() => {start: number, end: number}} shown what is shown at the moment */
  constructor(shown) {
    this.shown = shown;
    this.makeRanges();
    this.connectMoves();
    byId("custom").addEventListener("toggle", () => byId("custom").open && openCustom(this.shown()));
    this.connectTheme();
    byId("host-choice").addEventListener("change", (event) => change({ host: event.target.value || null, process: null, only: {} }));
    this.update();
  }

  makeRanges() {
    const words = { m: "minute", h: "hour", d: "day", y: "year" };
    const buttons = Object.keys(RANGES).map((name) => {
      const format = (unitDisplay) => new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit: words[name.at(-1)], unitDisplay });
      const label = interpolate(gettext("Last %(range)s"), { range: format("long").format(Number.parseInt(name, 10)) });
      const button = element("button", { type: "button", dataset: { range: name }, "aria-label": label, title: label }, name);
      button.addEventListener("click", () => change({ range: name, from: null, to: null, at: null }));
      return button;
    });
    byId("ranges").append(...buttons);
  }

  connectMoves() {
    const by = (part) => () => {
      const { start, end } = this.shown();
      const distance = (end - start) * part;
      showStretch(start + distance, end + distance, { keepsMoment: true });
    };
    const zoom = (factor) => () => {
      const { start, end } = this.shown();
      const middle = state.at !== null && state.at > start && state.at < end ? state.at : (start + end) / 2;
      const half = ((end - start) / 2) * factor;
      showStretch(middle - half, middle + half, { keepsMoment: true });
    };
    const actions = { back: by(-0.5), forward: by(0.5), "zoom-in": zoom(0.5), "zoom-out": zoom(2), now: backToLive, "process-live": backToLive };
    for (const [id, action] of Object.entries(actions)) byId(id).addEventListener("click", action);
    byId("pause").addEventListener("click", () => change({ paused: !state.paused }));
    addEventListener("keydown", (event) => {
      if (event.key !== " " || event.target !== document.body || isHistory()) return;
      event.preventDefault();
      change({ paused: !state.paused });
    });
  }

  connectTheme() {
    const root = document.documentElement;
    const names = { auto: gettext("Theme: automatic"), light: gettext("Theme: light"), dark: gettext("Theme: dark") };
    const button = byId("theme");
    const show = () => {
      button.dataset.choice = root.dataset.themeChoice;
      button.setAttribute("aria-label", names[root.dataset.themeChoice] ?? names.auto);
      button.title = button.getAttribute("aria-label");
    };
    button.addEventListener("click", () => {
      const next = THEMES[(THEMES.indexOf(root.dataset.themeChoice) + 1) % THEMES.length];
      root.dispatchEvent(new CustomEvent("themechosen", { detail: next }));
    });
    root.addEventListener("themechange", show);
    show();
  }

  /** What follows from the state of the page. */
  update() {
    for (const button of byId("ranges").children) {
      button.setAttribute("aria-pressed", String(state.from === null && button.dataset.range === state.range));
    }
    byId("pause").setAttribute("aria-pressed", String(state.paused));
    byId("pause").hidden = isHistory();
    byId("now").disabled = !isHistory() && !state.paused;
  }

  /** @param {keyof typeof BADGES} badge */
  setBadge(badge) {
    const node = byId("badge");
    if (node.dataset.state === badge) return;
    node.dataset.state = badge;
    node.lastElementChild.textContent = BADGES[badge];
  }

  /** @param {any} host @param {any[]} hosts */
  setHost(host, hosts) {
    const select = byId("host-choice");
    select.hidden = hosts.length < 2;
    byId("host-name").hidden = hosts.length >= 2;
    if (select.length !== hosts.length) {
      select.replaceChildren(...hosts.map((one) => element("option", { value: one.is_this_machine ? "" : one.name }, one.name)));
    }
    select.value = host.is_this_machine ? "" : host.name;
    setText(byId("host-name"), host.name);
    setText(byId("host-facts"), facts(host).join(" · "));
    byId("host-facts").title = [host.kernel, host.architecture, host.cpu_model].filter(Boolean).join(", ");
    document.title = `${host.name} · sysmon`;
  }

  /** Which stretch is shown, and how wide a point is. */
  setStretch(shown, width) {
    setText(byId("shown"), [stretch(shown.start, shown.end), width].filter(Boolean).join(" · "));
  }
}

function facts(host) {
  const uptime = host.bootedAt ? interpolate(gettext("up %(time)s"), { time: duration(now() - host.bootedAt) }) : "";
  return [host.os_name, cores(host), host.memory_bytes ? measured(host.memory_bytes, "bytes") : "", uptime].filter(Boolean);
}

/** What sysmon itself uses, in the foot of the page. */
export async function showCost() {
  const cost = await read("cost").catch(() => null);
  if (cost?.processes) {
    const values = { cpu: measured(cost.cpu_percent, "percent"), memory: measured(cost.rss_bytes, "bytes"), count: cost.processes };
    setText(byId("cost"), interpolate(gettext("sysmon itself: %(cpu)s of one core, %(memory)s in %(count)s processes, what they share counted in each"), values));
  }
}
