// How wide a point is: as narrow as the drawing can show.

const WEEK = 7 * 86400;

/** Widths that people like, in seconds; `step=auto` of the API has the same. */
export const NICE = [
  ...[1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800],
  ...[3600, 7200, 10800, 21600, 43200, 86400, 2 * 86400, WEEK],
];

/**
 * The step for a stretch of time, in seconds; null where what is stored is not too much.
 * @param {number} span @param {number} points so many at the most @param {number} interval between two ticks
 */
export function stepFor(span, points, interval) {
  const needed = span / points;
  return needed <= interval ? null : niceStep(needed);
}

/** The smallest width that people like and that is not below another, in seconds. @param {number} needed */
export const niceStep = (needed) => NICE.find((step) => step >= needed) ?? Math.ceil(needed / WEEK) * WEEK;
