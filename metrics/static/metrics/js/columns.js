// The points of one or more families as the columns that a panel draws.

/**
 * @typedef {object} Columns
 * @property {number[]} times
 * @property {(any | null)[]} points of the first family; null in a gap
 * @property {[number, number][]} gaps
 * @property {import("./panels.js").Line[]} lines
 * @property {(number | null)[][]} values one column a line
 * @property {(Band | null)[]} bands one a line, and at last that of the whole panel
 * @property {boolean} areMeans whether a point stands for more than one tick
 *
 * @typedef {{low: any[], high: any[], hasLow: boolean}} Band from the lowest to the highest value of each point; where the
 *   lowest was not kept, from the mean
 */

/** @param {any} panel @param {Record<string, import("./series.js").Series>} series by family @returns {Columns} */
export function columnsOf(panel, series) {
  const [first] = Object.keys(panel.fields);
  const base = series[first].timeline;
  const points = { [first]: base.points };
  for (const family of Object.keys(panel.fields).slice(1)) points[family] = aligned(base.times, base.points, series[family].points);
  const lines = panel.linesFor ? panel.linesFor(base.points) : panel.lines;
  const areMeans = series[first].step !== null || (base.points.findLast(Boolean)?.resolution ?? 0) >= 60;
  const column = (line, read) => points[line.family].map((point) => (point ? read(point) : null));
  const band = (line) => (areMeans && line?.high ? bandOf(line, column) : null);
  return {
    times: base.times,
    points: base.points,
    gaps: base.gaps,
    lines,
    values: lines.map((line) => column(line, line.value)),
    bands: [...lines, panel.band].map(band),
    areMeans,
  };
}

function bandOf(line, column) {
  const [low, mean, high] = [line.low, line.value, line.high].map((read) => (read ? column(line, read) : []));
  if (isEmpty(high)) return null;
  const filled = (values) => mean.map((value, place) => values[place] ?? value);
  return { low: filled(low), high: filled(high), hasLow: !isEmpty(low) };
}

/** The points of another family that cover the same moments. */
function aligned(times, base, points) {
  let place = 0;
  return times.map((time, number) => {
    while (place + 1 < points.length && points[place + 1].time <= time) place += 1;
    const point = points[place];
    return base[number] && point && Math.abs(time - point.time) < point.resolution ? point : null;
  });
}

/** @param {(number | null)[]} column */
export function mean(column) {
  let [total, count] = [0, 0];
  for (const value of column) {
    if (value === null) continue;
    total += value;
    count += 1;
  }
  return count ? total / count : null;
}

/** @param {(number | null)[][]} columns */
export function highest(columns) {
  let found = 0;
  for (const column of columns) for (const value of column) if (value !== null && value > found) found = value;
  return found;
}

/** @param {(number | null)[]} column */
export const isEmpty = (column) => column.every((value) => value === null);
