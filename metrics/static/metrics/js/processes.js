// The table of processes: now, at the picked moment, or ranked over the stretch that is shown.

import { iso, read, seconds } from "./api.js";
import { byId, element, setText } from "./dom.js";
import { duration, integer, measured, moment, stretch } from "./formats.js";
import { gettext, interpolate } from "./messages.js";
import { change, isHistory, state } from "./state.js";

const LIMIT = 50;
const SEARCH_PAUSE_MILLISECONDS = 250;
const BUSY_PERCENT = 50;
const LEAST_PERCENT = 2;

/** What a column shows, and by which of the API's orders the highest of it are found. */
const NOW = [
  { name: "cpu", title: gettext("CPU"), order: "cpu", value: cpu, text: (row) => measured(cpu(row), "percent"), isNumber: true },
  { name: "memory", title: gettext("Memory"), order: "memory", value: (row) => row.rss_bytes, text: (row) => measured(row.rss_bytes, "bytes"), isNumber: true },
  { name: "io", title: gettext("Disk I/O"), order: "io", value: io, text: (row) => (io(row) ? measured(io(row), "bytes_per_second") : "–"), isNumber: true },
];
const OVER_STRETCH = [
  { ...NOW[0], title: gettext("CPU time"), value: (row) => row.cpu_seconds, text: (row) => worked(row.cpu_seconds) },
  { ...NOW[1], title: gettext("Peak memory"), value: (row) => row.rss_bytes_max, text: (row) => measured(row.rss_bytes_max, "bytes") },
  { name: "io", title: gettext("Read"), order: "io", value: (row) => total(row, "read"), text: (row) => measured(total(row, "read"), "bytes"), isNumber: true },
  { name: "written", title: gettext("Written"), order: "io", value: (row) => total(row, "write"), text: (row) => measured(total(row, "write"), "bytes"), isNumber: true },
];
const IDENTITY = [
  { name: "pid", title: gettext("PID"), value: (row) => row.pid, text: (row) => String(row.pid), isNumber: true },
  { name: "name", title: gettext("Name"), value: (row) => row.name.toLowerCase(), text: (row) => row.name },
  { name: "user", title: gettext("User"), value: (row) => row.username ?? "", text: (row) => row.username ?? "–" },
  { name: "command", title: gettext("Command"), text: (row) => row.command ?? "" },
];

/** With that of its ended children: so it is ranked. */
function cpu(row) {
  return row.cpu_percent === null && row.children_cpu_percent === null ? null : (row.cpu_percent ?? 0) + (row.children_cpu_percent ?? 0);
}

/** How much of it the children used, where they used any. */
function ofChildren(row) {
  if (!row.children_cpu_percent) return "";
  return interpolate(gettext("%(cpu)s of it by child processes that ended"), { cpu: measured(row.children_cpu_percent, "percent") });
}

function io(row) {
  return (row.read_bytes_per_second ?? 0) + (row.write_bytes_per_second ?? 0);
}

const worked = (seconds) => (seconds < 60 ? measured(seconds, "seconds") : duration(seconds));

function total(row, way) {
  const rate = row[`${way}_bytes_per_second`];
  return rate === null ? null : rate * row.covered;
}

export class Processes {
  constructor() {
    this.results = [];
    // On a phone the names stand first: what comes after may have to be scrolled to.
    this.narrow = matchMedia("(max-width: 600px)");
    this.narrow.addEventListener("change", () => this.setColumns());
    /** @type {Map<number, HTMLTableRowElement>} */
    this.rows = new Map();
    this.columns = [];
    byId("process-filter").value = state.filter;
    byId("process-filter").addEventListener("input", () => this.search());
    byId("process-rows").addEventListener("click", (event) => this.open(event));
  }

  /** @param {{start: number, end: number}} shown */
  async load(shown, host, signal) {
    this.followState();
    const query = { ...this.query(shown), limit: LIMIT, sort_by: state.order, search: state.filter || null, host: host?.name };
    const asked = (this.asked = JSON.stringify(query));
    const answer = await read("metrics/processes", query, signal);
    // Meanwhile something else was asked for, whose answer may be here already.
    if (asked !== this.asked) return;
    this.isStretch = isHistory() && state.at === null;
    this.answer = answer;
    this.searched = state.filter;
    this.results = answer.results.map((row) => ({ ...row, covered: answer.resolution ?? 0 }));
    this.cores = host?.logical_cores ?? 1;
    this.setTitle(shown);
    this.setColumns();
  }

  /** Exactly what is picked, or the stretch that is shown, or now. */
  query(shown) {
    if (state.width !== null) return { start: iso(state.at), end: iso(state.at + state.width - 0.001) };
    if (state.at !== null) return { at: iso(state.at) };
    return isHistory() ? { start: iso(shown.start), end: iso(shown.end) } : {};
  }

  /** The address of the page may have changed otherwise than by what is done here. */
  followState() {
    if (this.order !== state.order) this.rank();
    const field = byId("process-filter");
    if (field !== document.activeElement) field.value = state.filter;
  }

  /** In the order in which the API has ranked them. */
  rank() {
    this.order = state.order;
    this.sort = { name: state.order, isAscending: false };
    this.isChosen = false;
  }

  /** What is there is filtered at once; then all that is stored is searched. */
  search() {
    this.fill();
    clearTimeout(this.searching);
    const wanted = () => change({ filter: byId("process-filter").value.trim() }, { replace: true });
    this.searching = setTimeout(wanted, SEARCH_PAUSE_MILLISECONDS);
  }

  setColumns() {
    if (!this.answer) return;
    const measures = this.isStretch ? OVER_STRETCH : NOW;
    if (this.results.length) this.hasCommands = this.results.some((row) => row.command !== null);
    const identity = IDENTITY.filter((column) => column.name !== "command" || this.hasCommands);
    const first = this.narrow.matches ? identity.filter((column) => column.name === "name") : [];
    const columns = [...first, ...measures, ...identity.filter((column) => !first.includes(column))];
    const isSame = columns.length === this.columns.length && columns.every((column, place) => column === this.columns[place]);
    if (!isSame) {
      this.columns = columns;
      if (!columns.some((column) => column.name === this.sort.name)) this.rank();
      this.rows.clear();
      byId("process-rows").replaceChildren();
      byId("process-head").replaceChildren(...columns.map((column) => this.heading(column)));
    }
    this.markOrder();
    this.fill();
  }

  heading(column) {
    const cell = element("th", { scope: "col", class: `${column.isNumber ? "number " : ""}of-${column.name}`, dataset: { name: column.name } });
    if (!column.value) cell.append(column.title);
    else {
      const button = element("button", { type: "button" }, column.title);
      button.addEventListener("click", () => this.sortBy(column));
      cell.append(button);
    }
    return cell;
  }

  sortBy(column) {
    const isAscending = this.sort.name === column.name ? !this.sort.isAscending : !column.isNumber;
    this.sort = { name: column.name, isAscending };
    this.isChosen = true;
    this.order = column.order ?? this.order;
    this.markOrder();
    this.fill();
    change({ order: this.order }, { replace: true });
  }

  markOrder() {
    for (const cell of byId("process-head").children) {
      if (cell.dataset.name === this.sort.name && !this.isRanked) cell.setAttribute("aria-sort", this.sort.isAscending ? "ascending" : "descending");
      else cell.removeAttribute("aria-sort");
    }
  }

  setTitle(shown) {
    setText(byId("process-when"), this.when(shown));
    byId("process-live").hidden = !isHistory();
  }

  when(shown) {
    const total = integer(this.answer.total);
    if (state.at !== null) {
      const tick = this.answer.timestamp ? seconds(this.answer.timestamp) : state.at;
      const when = state.width === null ? moment(tick) : stretch(state.at, state.at + state.width);
      return interpolate(gettext("at %(when)s, %(total)s in all"), { total, when });
    }
    if (isHistory()) return interpolate(gettext("from %(when)s"), { when: stretch(shown.start, shown.end) });
    return interpolate(gettext("now, %(total)s in all"), { total });
  }

  /** Why there is no row. */
  reason(text) {
    if (this.answer.timestamp === null) return gettext("Nothing was recorded then.");
    if (text && text !== this.searched) return gettext("Searching…");
    return text ? interpolate(gettext("Among the processes that are stored, none matches “%(text)s”."), { text }) : gettext("No process used anything.");
  }

  fill() {
    if (!this.answer) return;
    const text = byId("process-filter").value.trim();
    const wanted = text.toLowerCase();
    const rows = this.sorted(this.results.filter((row) => !wanted || words(row).includes(wanted)));
    byId("process-none").hidden = rows.length > 0;
    if (!rows.length) setText(byId("process-none"), this.reason(text));
    const body = byId("process-rows");
    const kept = new Set(rows.map((row) => row.id));
    for (const [id, node] of this.rows) if (!kept.has(id)) this.forget(id, node);
    rows.forEach((row, place) => {
      const node = this.rows.get(row.id) ?? this.make(row.id);
      this.fillRow(node, row);
      if (body.children[place] !== node) body.insertBefore(node, body.children[place] ?? null);
    });
  }

  forget(id, node) {
    node.remove();
    this.rows.delete(id);
  }

  /** What read and wrote the most over a stretch has two columns for it: those stay as they are ranked. */
  get isRanked() {
    return this.isStretch && this.sort.name === "io" && !this.isChosen;
  }

  sorted(rows) {
    if (this.isRanked) return rows;
    return inOrder(rows, this.columns.find((one) => one.name === this.sort.name).value, this.sort.isAscending);
  }

  make(id) {
    const node = element("tr", { dataset: { id } });
    for (const column of this.columns) {
      const cell = element("td", { class: `${column.isNumber ? "number " : ""}of-${column.name}` });
      if (column.name === "name") cell.append(element("button", { type: "button" }));
      node.append(cell);
    }
    this.rows.set(id, node);
    return node;
  }

  fillRow(node, row) {
    this.columns.forEach((column, place) => {
      const cell = node.children[place];
      const text = column.text(row);
      if (column.name === "name") setText(cell.firstElementChild, text);
      else setText(cell, text);
      const title = column.name === "command" ? text : column.name === "cpu" ? ofChildren(row) : "";
      if (cell.title !== title) cell.title = title;
    });
    const share = Math.min(100, (cpu(row) ?? 0) / this.cores);
    // A bar of a pixel looks like a border.
    node.style.setProperty("--share", `${share < LEAST_PERCENT ? 0 : share.toFixed(1)}%`);
    node.classList.toggle("busy", share >= BUSY_PERCENT);
    if (state.process === row.id) node.setAttribute("aria-current", "true");
    else node.removeAttribute("aria-current");
  }

  open(event) {
    const row = event.target.closest("tr");
    if (row) change({ process: Number(row.dataset.id) });
  }
}

/** Rows by a value of theirs: what is not known is below all that is, and what is equal stays in one order. */
export function inOrder(rows, valueOf, isAscending) {
  const way = isAscending ? 1 : -1;
  return [...rows].sort((a, b) => {
    const [one, other] = [valueOf(a) ?? -Infinity, valueOf(b) ?? -Infinity];
    return one === other ? a.id - b.id : one > other ? way : -way;
  });
}

const words = (row) => `${row.name} ${row.username ?? ""} ${row.pid} ${row.command ?? ""}`.toLowerCase();
