// A chart for whatever has none that was laid out by hand: a new family shows up by itself.

import { COLORS } from "./looks.js";

const DRAWN_KINDS = new Set(["gauge", "rate"]);
// More lines than this nobody can tell apart: of a longer list the highest are drawn.
export const MOST_THINGS = 6;

/**
 * @param {any[]} families as the API describes them @param {import("./panels.js").Panel[]} panels those that there are
 * @returns {import("./panels.js").Panel[]} those of families that nobody laid out first
 */
export function derivedPanels(families, panels) {
  const known = new Set(panels.flatMap((panel) => Object.keys(panel.fields)));
  const shown = new Set(panels.flatMap((panel) => Object.entries(panel.fields).flatMap(([family, names]) => names.map((name) => `${family}.${name}`))));
  const made = [];
  for (const family of families.filter((one) => one.is_series)) {
    for (const table of family.tables) {
      const columns = table.columns.filter((column) => isDrawn(column) && !shown.has(`${family.name}.${column.name}`));
      made.push(...panelsOf(family.name, table, columns, known.has(family.name)));
    }
  }
  return made;
}

const isDrawn = (column) => DRAWN_KINDS.has(column.kind) && column.type !== "list";

function panelsOf(family, table, columns, isFurther) {
  if (table.collection) return columns.map((column) => listPanel(family, table, column, isFurther));
  if (isFurther) return columns.map((column) => ownPanel(family, column.title, [column], isFurther));
  const units = [...new Set(columns.map((column) => column.unit))];
  return units.map((unit) => ownPanel(family, table.title, columns.filter((column) => column.unit === unit), isFurther));
}

/** Fields of one unit that stand in the point itself: a line each. */
function ownPanel(family, title, columns, isFurther) {
  return {
    id: `${family}-${columns[0].name}`,
    title,
    help: columns.map((column) => `${column.help}.`).join(" "),
    form: "lines",
    unit: columns[0].unit,
    fields: { [family]: columns.map((column) => column.name) },
    lines: columns.map((column, place) => ({
      label: columns.length > 1 ? column.title : "",
      color: COLORS[place % COLORS.length],
      family,
      ...reads(column.name, (point) => point),
    })),
    isFurther,
  };
}

/** How a line reads a field, with its extremes, of what `find` finds in a point. */
function reads(name, find) {
  const read = (suffix) => (point) => find(point)?.[name + suffix] ?? null;
  return { value: read(""), low: read("_min"), high: read("_max") };
}

/** A field of what is in a list: a line for each thing, which the data name. */
function listPanel(family, table, column, isFurther) {
  return {
    id: `${family}-${table.kind}-${column.name}`,
    title: column.title,
    help: `${column.help}.`,
    form: "lines",
    unit: column.unit,
    fields: { [family]: [column.name] },
    lines: [],
    linesFor: (points) => linesOfThings(family, table, column, points),
    isFurther,
  };
}

function linesOfThings(family, table, column, points) {
  const label = (thing) => table.key.map((name) => thing[name]).join(" ");
  const highest = new Map();
  for (const point of points) {
    for (const thing of point?.[table.collection] ?? []) {
      highest.set(label(thing), Math.max(highest.get(label(thing)) ?? -Infinity, thing[column.name] ?? -Infinity));
    }
  }
  const chosen = [...highest].sort((a, b) => b[1] - a[1]).slice(0, MOST_THINGS).map(([name]) => name);
  return chosen.sort().map((name, place) => ({
    label: name,
    color: COLORS[place % COLORS.length],
    family,
    ...reads(column.name, (point) => point[table.collection]?.find((thing) => label(thing) === name)),
  }));
}
