// The one tooltip: what a chart says of a moment.

import { byId, element } from "./dom.js";

const MARGIN = 8;
const DISTANCE = 16;

/**
 * @typedef {{label: string, value: string, range?: string, color?: string, isTotal?: boolean}} Row
 * @typedef {{title: string, rows: Row[], notes: string[]}} Description
 */

/** @param {Description} description @param {number} x @param {number} y */
export function showTooltip(description, x, y) {
  const node = byId("tooltip");
  const rows = description.rows.map((row) =>
    element("div", { class: row.isTotal ? "total" : "" }, key(row), element("span", {}, row.value, row.range ? element("small", {}, row.range) : null)),
  );
  node.replaceChildren(element("b", {}, description.title), ...rows, ...description.notes.map((note) => element("em", {}, note)));
  node.hidden = false;
  place(node, x, y);
}

/** As one sentence, for a screen reader. @param {Description} description */
export function inWords({ title, rows, notes }) {
  const values = rows.map((row) => `${row.label} ${row.value}`).join(", ");
  return `${title}: ${values || notes.join(" ")}`;
}

function key(row) {
  return element("span", {}, row.color ? element("i", { class: `swatch ${row.color.slice(2)}` }) : null, row.label);
}

function place(node, x, y) {
  const { offsetWidth: width, offsetHeight: height } = node;
  const left = x + DISTANCE + width > innerWidth - MARGIN ? x - DISTANCE - width : x + DISTANCE;
  node.style.left = `${Math.max(MARGIN, left)}px`;
  node.style.top = `${Math.max(MARGIN, Math.min(innerHeight - height - MARGIN, y - 20))}px`;
}
