// One cursor over all charts.

/** @typedef {{time: number, plot: any, row?: number} | null} Cursor */

/** @type {Cursor} */
let current = null;
const listeners = new Set();

/** @returns {Cursor} */
export const cursor = () => current;

/** @param {(cursor: Cursor) => void} listener */
export const onCursor = (listener) => listeners.add(listener);

/** @param {Cursor} next */
export function moveCursor(next) {
  if (next === current || (next && current && next.time === current.time && next.plot === current.plot && next.row === current.row)) return;
  current = next;
  listeners.forEach((listener) => listener(current));
}
