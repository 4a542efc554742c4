// The newest values of every family, read from the public API. What a field is follows from the unit in its name.

const main = document.querySelector("#families");
const state = document.querySelector("#state");
const RETRY_SECONDS = 3;
const BYTES = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const HIDDEN = new Set(["id", "command", "started_at", "sort_by", "count"]);

const number = (value, digits = 1) =>
  value.toLocaleString(undefined, { maximumFractionDigits: digits });

function bytes(value) {
  const power = Math.min(BYTES.length - 1, value < 1024 ? 0 : Math.floor(Math.log2(value) / 10));
  return `${number(value / 1024 ** power)} ${BYTES[power]}`;
}

const UNITS = [
  [/bytes_per_second$/, (value) => `${bytes(value)}/s`],
  [/per_second$/, (value) => `${number(value)}/s`],
  [/bytes$/, bytes],
  [/(percent|per_core)$/, (value) => `${number(value)} %`],
  [/_mhz$/, (value) => `${number(value, 0)} MHz`],
  [/_mbps$/, (value) => `${number(value, 0)} Mbit/s`],
];

function text(name, value) {
  if (value === null) return "–";
  if (Array.isArray(value)) return value.map((one) => text(name, one)).join("  ");
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value !== "number") return value;
  const unit = UNITS.find(([pattern]) => pattern.test(name));
  return unit ? unit[1](value) : number(value, 2);
}

const label = (name) =>
  name.replace(/(^|_)(bytes_per_second|per_second|bytes|percent|mhz|mbps)$/, "").replaceAll("_", " ") || "in use";

// Text only, never markup: a process may be called anything.
function element(name, content = "", className = "") {
  const made = document.createElement(name);
  made.textContent = content;
  if (className) made.className = className;
  return made;
}

function table(rows) {
  const names = Object.keys(rows[0]).filter((name) => !HIDDEN.has(name));
  const made = element("table");
  const head = made.createTHead().insertRow();
  const isNumber = (name) => typeof rows[0][name] === "number";
  head.append(...names.map((name) => element("th", label(name), isNumber(name) ? "number" : "")));
  const body = made.createTBody();
  for (const row of rows) {
    const cells = names.map((name) =>
      element("td", text(name, row[name]), typeof row[name] === "number" ? "number" : ""),
    );
    body.insertRow().append(...cells);
  }
  return made;
}

const isTable = (value) => Array.isArray(value) && value.length > 0 && typeof value[0] === "object" && value[0] !== null;

function card(family, point) {
  const made = element("section");
  made.append(element("h2", family));
  if (point === null) {
    made.append(element("p", "no sample"));
    return made;
  }
  const list = element("dl");
  const tables = [];
  for (const [name, value] of Object.entries(point)) {
    if (isTable(value)) tables.push(element("h3", name === "results" ? "top by CPU" : name), table(value));
    else if (!HIDDEN.has(name) && !(Array.isArray(value) && value.length === 0))
      list.append(element("dt", label(name)), element("dd", text(name, value)));
  }
  made.append(list, ...tables);
  if (tables.length) made.className = "wide";
  return made;
}

function show({ host, timestamp, resolution, ...families }) {
  state.className = "";
  state.textContent = `${host}, ${new Date(timestamp).toLocaleString()}, every ${resolution} s`;
  main.replaceChildren(...Object.entries(families).map(([family, point]) => card(family, point)));
  return resolution;
}

async function poll() {
  let seconds = RETRY_SECONDS;
  try {
    const response = await fetch(main.dataset.address, { headers: { Accept: "application/json" } });
    const body = await response.json();
    if (!response.ok) throw new Error(body.detail);
    seconds = show(body);
  } catch (error) {
    state.className = "wrong";
    state.textContent = error.message;
  }
  setTimeout(poll, seconds * 1000);
}

poll();
