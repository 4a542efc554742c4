// Where nothing was recorded there is no point: a gap stays a gap.

// A point may be late by half of its width before it counts as missing.
const TOLERANCE = 1.5;

/**
 * @typedef {{time: number, resolution: number} & Record<string, any>} Point
 * @typedef {{times: number[], points: (Point | null)[], gaps: [number, number][]}} Timeline
 */

/**
 * Points with nulls where some are missing, and the stretches without any.
 * @param {Point[]} points @param {{start: number, end: number}} shown @returns {Timeline}
 */
export function timeline(points, shown) {
  const made = { times: [], points: [], gaps: [] };
  if (!points.length) return { ...made, gaps: [[shown.start, shown.end]] };
  const first = points[0];
  if (first.time - shown.start > 2 * TOLERANCE * first.resolution) made.gaps.push([shown.start, first.time - first.resolution / 2]);
  let before = null;
  for (const point of points) {
    if (before && isApart(before, point)) addGap(made, before, point);
    made.times.push(point.time);
    made.points.push(point);
    before = point;
  }
  const end = before.time + before.resolution;
  if (shown.end - end > TOLERANCE * before.resolution) made.gaps.push([end, shown.end]);
  return made;
}

const isApart = (before, after) => after.time - before.time > TOLERANCE * Math.max(before.resolution, after.resolution);

/** Two nulls, so that no line is drawn across and the cursor finds the gap at both of its ends. */
function addGap(made, before, after) {
  const [start, end] = [before.time + before.resolution / 2, after.time - after.resolution / 2];
  for (const time of start < end ? [start, end] : [(before.time + after.time) / 2]) {
    made.times.push(time);
    made.points.push(null);
  }
  made.gaps.push([start, Math.max(start, end)]);
}

/** The place of the time that is nearest to a moment. @param {number[]} times ascending @param {number} moment */
export function nearest(times, moment) {
  let low = 0;
  let high = times.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (times[middle] < moment) low = middle;
    else high = middle;
  }
  return times.length && Math.abs(times[high] - moment) < Math.abs(times[low] - moment) ? high : Math.max(0, low);
}

/** Whether a moment lies in a gap. @param {[number, number][]} gaps @param {number} moment */
export const isInGap = (gaps, moment) => gaps.some(([start, end]) => moment > start && moment < end);
