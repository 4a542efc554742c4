// Where nothing was recorded there is no point: a gap stays a gap.

// A point may be late by half of its width before it counts as missing.
const TOLERANCE = 1.5;
// The narrowest tier: what is narrower, and was not asked for by a step, is a single tick.
const NARROWEST_TIER_SECONDS = 60;

/**
 * A bucket stands for the time from its start on; a tick is drawn, and picked, around its moment.
 * @typedef {{time: number, resolution: number, isTick: boolean, from: number, to: number} & Record<string, any>} Point
 * @typedef {{times: number[], points: (Point | null)[], gaps: [number, number][]}} Timeline where each point is drawn
 */

/** Say of a point which time it stands for. @param {any} point @param {number | null} step that was asked for @returns {Point} */
export function located(point, step) {
  point.isTick = step === null && point.resolution < NARROWEST_TIER_SECONDS;
  point.from = point.time - (point.isTick ? point.resolution / 2 : 0);
  point.to = point.from + point.resolution;
  return point;
}

/**
 * Points with nulls where some are missing, and the stretches without any.
 * @param {Point[]} points @param {{start: number, end: number}} shown @returns {Timeline}
 */
export function timeline(points, shown) {
  const made = { times: [], points: [], gaps: [] };
  if (!points.length) return { ...made, gaps: [[shown.start, shown.end]] };
  const first = points[0];
  if (first.time - shown.start > 2 * TOLERANCE * first.resolution) made.gaps.push([shown.start, first.from]);
  let before = null;
  for (const point of points) {
    if (before && isApart(before, point)) addGap(made, before, point);
    made.times.push(middle(point, shown));
    made.points.push(point);
    before = point;
  }
  const end = before.time + before.resolution;
  if (shown.end - end > TOLERANCE * before.resolution) made.gaps.push([end, shown.end]);
  return made;
}

/** Of a bucket the middle of what is shown of it: the newest one may have hardly begun. */
function middle(point, shown) {
  if (point.isTick) return point.time;
  const [from, to] = [Math.max(point.from, shown.start), Math.min(point.to, shown.end)];
  return from < to ? (from + to) / 2 : (point.from + point.to) / 2;
}

const isApart = (before, after) => after.time - before.time > TOLERANCE * Math.max(before.resolution, after.resolution);

/** Two nulls, so that no line is drawn across and the cursor finds the gap at both of its ends. */
function addGap(made, before, after) {
  const [start, end] = [before.to, after.from];
  for (const time of start < end ? [start, end] : [(start + end) / 2]) {
    made.times.push(time);
    made.points.push(null);
  }
  made.gaps.push([start, Math.max(start, end)]);
}

/** The place of the time that is nearest to a moment. @param {number[]} times ascending @param {number} moment */
function nearest(times, moment) {
  let low = 0;
  let high = times.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (times[middle] < moment) low = middle;
    else high = middle;
  }
  return times.length && Math.abs(times[high] - moment) < Math.abs(times[low] - moment) ? high : Math.max(0, low);
}

/** The place of the point that a moment lies in; of the nearest one where it lies in none. @param {Timeline} timeline @param {number} moment */
export function placeAt({ times, points }, moment) {
  const place = nearest(times, moment);
  const covers = (near) => points[near] && points[near].from <= moment && moment < points[near].to;
  return [place, place - 1, place + 1].find(covers) ?? place;
}

/** Whether a moment lies in a gap. @param {[number, number][]} gaps @param {number} moment */
export const isInGap = (gaps, moment) => gaps.some(([start, end]) => moment > start && moment < end);
