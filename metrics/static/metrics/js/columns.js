// The points of one or more families as the columns that a panel draws.

/**
 * @typedef {object} Columns
 * @property {number[]} times
 * @property {(any | null)[]} points of the first family; null in a gap
 * @property {[number, number][]} gaps
 * @property {import("./panels.js").Line[]} lines
 * @property {any[][]} values one column a line: numbers, a list of them where the line is one of cores, null in a gap
 * @property {(Band | null)[]} bands one a line, and at last that of the whole panel
 * @property {boolean} areMeans whether a point stands for more than one tick
 * @property {(family: string) => any[]} pointsOf a family's own points, which may be of another width
 * @property {() => (any | null)[]} moment the values of the lines at the moment that is picked
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
  const areMeans = base.points.some((point) => point && !point.isTick);
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
    pointsOf: (family) => series[family].points,
    moment: () => lines.map((line) => (series[line.family].moment ? line.value(series[line.family].moment) : null)),
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
    while (place + 1 < points.length && points[place + 1].from <= time) place += 1;
    const point = points[place];
    const late = (point?.resolution ?? 0) / 2;
    return base[number] && point && point.from - late <= time && time < point.to + late ? point : null;
  });
}

/** Over the time that the points stand for: they need not all be of one width. @param {(number | null)[]} column @param {(any | null)[]} points */
export function mean(column, points) {
  let [total, seconds] = [0, 0];
  column.forEach((value, place) => {
    if (value === null) return;
    total += value * points[place].resolution;
    seconds += points[place].resolution;
  });
  return seconds ? total / seconds : null;
}

/** How far columns reach, zero included. @param {(number | null)[][]} columns @returns {[number, number]} */
export function reach(columns) {
  let [low, high] = [0, 0];
  for (const column of columns) {
    for (const value of column) {
      if (value === null) continue;
      if (value > high) high = value;
      if (value < low) low = value;
    }
  }
  return [low, high];
}

/** @param {(number | null)[]} column */
export const isEmpty = (column) => column.every((value) => value === null);
