// The head of the page: how things stand, which host, which stretch of time.

import { now, read } from "./api.js";
import { open as openCustom } from "./custom.js";
import { byId, element, setText } from "./dom.js";
import { cores, duration, measured, stretch } from "./formats.js";
import { showLeftOut } from "./left-out.js";
import { gettext, interpolate } from "./messages.js";
import { RANGES, backToLive, change, isHistory, middleOfMoment, showRange, showStretch, state } from "./state.js";
import { foreignZone } from "./zone.js";

/** What the badge says, by its shape (the style sheet's) and its word. */
const BADGES = {
  live: gettext("Live"),
  paused: gettext("Paused"),
  history: gettext("History"),
  stale: gettext("Stale"),
  waiting: gettext("Waiting"),
};
const PULSE_MILLISECONDS = 300;
// Where ticks come faster than this there is no time for a blink between them.
const SHORTEST_SECONDS_TO_BLINK = 2;
const DIMMED = "0.3";
const lessMotion = matchMedia("(prefers-reduced-motion: reduce)");
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
    // The page comes back in the other language, with all that its address says.
    byId("language").addEventListener("submit", (event) => (event.target.elements.next.value = location.pathname + location.search));
    this.update();
  }

  makeRanges() {
    const buttons = Object.keys(RANGES).map((name) => {
      const button = element("button", { type: "button", dataset: { range: name } }, name);
      button.addEventListener("click", () => showRange(name, this.shown()));
      return button;
    });
    byId("ranges").append(...buttons);
  }

  /** Which range is shown, and what each of them would show: in the past the time around what is shown now. */
  updateRanges() {
    const words = { m: "minute", h: "hour", d: "day", y: "year" };
    const text = isHistory() ? gettext("Last %(range)s, in the past around what is shown") : gettext("Last %(range)s");
    for (const button of byId("ranges").children) {
      const { range } = button.dataset;
      const format = new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit: words[range.at(-1)], unitDisplay: "long" });
      button.title = interpolate(text, { range: format.format(Number.parseInt(range, 10)) });
      button.setAttribute("aria-label", button.title);
      const isShown = state.from === null ? range === state.range : state.to - state.from === RANGES[range];
      button.setAttribute("aria-pressed", String(isShown));
    }
  }

  connectMoves() {
    const by = (part) => () => {
      const { start, end } = this.shown();
      const distance = (end - start) * part;
      showStretch(start + distance, end + distance, { keepsMoment: true });
    };
    const zoom = (factor) => () => {
      const { start, end } = this.shown();
      const isMomentShown = state.at !== null && middleOfMoment() > start && middleOfMoment() < end;
      const middle = isMomentShown ? middleOfMoment() : (start + end) / 2;
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
    this.updateRanges();
    // Behind the newest there is nothing.
    byId("forward").disabled = !isHistory() || (state.to ?? 0) >= Math.floor(now());
    byId("pause").setAttribute("aria-pressed", String(state.paused));
    byId("pause").hidden = isHistory();
    byId("now").disabled = !isHistory() && !state.paused;
  }

  /** @param {keyof typeof BADGES} badge */
  setBadge(badge) {
    const node = byId("badge");
    if (node.dataset.state === badge) return;
    node.dataset.state = badge;
    node.firstElementChild.style.opacity = "";
    node.lastElementChild.textContent = BADGES[badge];
  }

  /**
   * Something new was recorded: the badge blinks, in two frames, since an animation costs more than all that is new. Where
   * ticks come fast it is dark and bright by turns, in the frame that each tick draws anyway.
   * @param {number} interval between two ticks, in seconds
   */
  pulse(interval) {
    if (lessMotion.matches) return;
    const { style } = byId("badge").firstElementChild;
    style.opacity = style.opacity ? "" : DIMMED;
    if (interval >= SHORTEST_SECONDS_TO_BLINK) setTimeout(() => (style.opacity = ""), PULSE_MILLISECONDS);
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
    showWarnings("machine-warning", host, ["cpu", "memory"]);
    showWarnings("processes-warning", host, ["processes"]);
    showLeftOut(host);
  }

  /** Which stretch is shown, and how wide a point is. */
  setStretch(shown, width) {
    setText(byId("shown"), [stretch(shown.start, shown.end), foreignZone, width].filter(Boolean).join(" · "));
  }
}

/** What of the machine is not seen, or is a container's, in the words of the API. */
function showWarnings(id, host, families) {
  const text = (host.warnings ?? []).filter((one) => families.includes(one.family)).map((one) => one.message).join("; ");
  setText(byId(id), text);
  byId(id).hidden = !text;
}

function facts(host) {
  const uptime = host.bootedAt ? interpolate(gettext("up %(time)s"), { time: duration(now() - host.bootedAt) }) : "";
  return [host.os_name, cores(host), host.memory_bytes ? measured(host.memory_bytes, "bytes") : "", uptime].filter(Boolean);
}

/** What sysmon itself uses, in the foot of the page. */
export async function showCost() {
  const cost = await read("cost").catch(() => null);
  if (cost?.processes) {
    const isShared = cost.memory_bytes === null;
    const memory = measured(isShared ? cost.rss_bytes : cost.memory_bytes, "bytes");
    const text = isShared
      ? gettext("sysmon itself: %(cpu)s of one core, %(memory)s in %(count)s processes, what they share counted in each")
      : gettext("sysmon itself: %(cpu)s of one core, %(memory)s in %(count)s processes");
    setText(byId("cost"), interpolate(text, { cpu: measured(cost.cpu_percent, "percent"), memory, count: cost.processes }));
  }
}
