// The table of processes: now, at the picked moment, or ranked over the stretch that is shown.

import { iso, read, seconds } from "./api.js";
import { byId, element, setText } from "./dom.js";
import { duration, integer, measured, moment, stretch } from "./formats.js";
import { gettext, interpolate } from "./messages.js";
import { change, isHistory, state } from "./state.js";

const LIMIT = 50;
const BUSY_PERCENT = 50;
const LEAST_PERCENT = 2;

/** What a column shows, and by which of the API's orders the highest of it are found. */
const NOW = [
  { name: "cpu", title: gettext("CPU"), order: "cpu", value: (row) => row.cpu_percent, text: (row) => measured(row.cpu_percent, "percent"), isNumber: true },
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
    this.sort = { name: "cpu", isAscending: false };
    this.results = [];
    /** @type {Map<number, HTMLTableRowElement>} */
    this.rows = new Map();
    this.columns = [];
    byId("process-filter").addEventListener("input", () => this.fill());
    byId("process-rows").addEventListener("click", (event) => this.open(event));
  }

  /** @param {{start: number, end: number}} shown @param {number} width of the picked point, 0 for a single tick */
  async load(shown, width, host, signal) {
    const query = this.query(shown, width);
    const answer = await read("metrics/processes", { ...query, limit: LIMIT, sort_by: this.order(), host: host?.name }, signal);
    this.isStretch = isHistory() && state.at === null;
    this.answer = answer;
    this.results = answer.results.map((row) => ({ ...row, covered: answer.resolution ?? 0 }));
    this.cores = host?.logical_cores ?? 1;
    this.setColumns();
    this.setTitle(shown, width);
    this.fill();
  }

  query(shown, width) {
    if (state.at !== null && width) return { start: iso(state.at), end: iso(state.at + width - 0.001) };
    if (state.at !== null) return { at: iso(state.at) };
    return isHistory() ? { start: iso(shown.start), end: iso(shown.end) } : {};
  }

  /** Called when another order is asked for. @param {() => void} listener */
  onOrder(listener) {
    this.reload = listener;
  }

  order() {
    return [...NOW, ...OVER_STRETCH].find((column) => column.name === this.sort.name)?.order ?? "cpu";
  }

  setColumns() {
    const measures = this.isStretch ? OVER_STRETCH : NOW;
    const hasCommands = this.results.some((row) => row.command !== null);
    const columns = [...measures, ...IDENTITY.filter((column) => column.name !== "command" || hasCommands)];
    const isSame = columns.length === this.columns.length && columns.every((column, place) => column === this.columns[place]);
    if (!isSame) {
      this.columns = columns;
      if (!columns.some((column) => column.name === this.sort.name)) this.sort = { name: "cpu", isAscending: false };
      this.rows.clear();
      byId("process-rows").replaceChildren();
      byId("process-head").replaceChildren(...columns.map((column) => this.heading(column)));
    }
    this.markOrder();
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
    const before = this.order();
    const isAscending = this.sort.name === column.name ? !this.sort.isAscending : !column.isNumber;
    this.sort = { name: column.name, isAscending };
    this.markOrder();
    this.fill();
    if (this.order() !== before) this.reload();
  }

  markOrder() {
    for (const cell of byId("process-head").children) {
      if (cell.dataset.name === this.sort.name) cell.setAttribute("aria-sort", this.sort.isAscending ? "ascending" : "descending");
      else cell.removeAttribute("aria-sort");
    }
  }

  setTitle(shown, width) {
    setText(byId("process-when"), this.when(shown, width));
    byId("process-live").hidden = !isHistory();
    const found = this.answer.timestamp !== null;
    byId("process-none").hidden = found && this.results.length > 0;
    setText(byId("process-none"), found ? gettext("No process used anything.") : gettext("Nothing was recorded then."));
  }

  when(shown, width) {
    const words = { total: integer(this.answer.total) };
    if (state.at !== null) {
      const when = width ? stretch(state.at, state.at + width) : moment(this.answer.timestamp ? seconds(this.answer.timestamp) : state.at);
      return interpolate(gettext("at %(when)s, %(total)s running"), { ...words, when });
    }
    if (isHistory()) return interpolate(gettext("from %(when)s"), { when: stretch(shown.start, shown.end) });
    return interpolate(gettext("now, %(total)s running"), words);
  }

  fill() {
    const wanted = byId("process-filter").value.trim().toLowerCase();
    const rows = this.sorted(this.results.filter((row) => !wanted || words(row).includes(wanted)));
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

  sorted(rows) {
    const column = this.columns.find((one) => one.name === this.sort.name);
    const way = this.sort.isAscending ? 1 : -1;
    const order = (value) => value ?? (typeof value === "string" ? "" : -1);
    return rows.sort((a, b) => {
      const [one, other] = [order(column.value(a)), order(column.value(b))];
      return one === other ? a.id - b.id : one > other ? way : -way;
    });
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
      if (column.name === "command" && cell.title !== text) cell.title = text;
    });
    const share = Math.min(100, (row.cpu_percent ?? 0) / this.cores);
    // A bar of a pixel looks like a border.
    node.firstElementChild.style.setProperty("--share", `${share < LEAST_PERCENT ? 0 : share.toFixed(1)}%`);
    node.classList.toggle("busy", share >= BUSY_PERCENT);
    if (state.process === row.id) node.setAttribute("aria-current", "true");
    else node.removeAttribute("aria-current");
  }

  open(event) {
    const row = event.target.closest("tr");
    if (row) change({ process: Number(row.dataset.id) });
  }
}

const words = (row) => `${row.name} ${row.username ?? ""} ${row.pid} ${row.command ?? ""}`.toLowerCase();
