// The moment at which a chart is at its highest, at the finest resolution there is.

import { ApiError } from "./api.js";
import { columnsOf } from "./columns.js";
import { Series } from "./series.js";
import { niceStep } from "./steps.js";

// So many points of a bucket are looked at in one go.
const POINTS = 900;

/**
 * From the highest point of what is drawn to the tick, or the narrowest bucket that is left, in which that was.
 * @param {import("./panels.js").Panel} panel @param {import("./columns.js").Columns} columns what is drawn
 * @param {(family: string) => string} path of a family's address @param {string | undefined} host
 * @returns {Promise<import("./gaps.js").Point | null>}
 */
export async function highestMoment(panel, columns, path, host) {
  let found = highestPoint(panel, columns);
  try {
    while (found && !found.isTick) {
      const finer = highestPoint(panel, await columnsWithin(found, panel, path, host));
      if (!finer || (finer.resolution >= found.resolution && !finer.isTick)) break;
      found = finer;
    }
  } catch (error) {
    // What is drawn is known: what asks for that bucket says what went wrong.
    if (!(error instanceof ApiError)) throw error;
  }
  return found;
}

/** The same panel over one bucket, finer: where that would be too much at once, in steps, and else as it is stored. */
async function columnsWithin(bucket, panel, path, host) {
  const shown = { start: bucket.from, end: bucket.to - 0.001 };
  const step = bucket.resolution > POINTS ? niceStep(bucket.resolution / POINTS) : null;
  const jobs = Object.entries(panel.fields).map(async ([family, fields]) => {
    const series = new Series(path(family), true);
    series.want(fields);
    await series.loadSteps(shown, step, host);
    return [family, series];
  });
  return columnsOf(panel, Object.fromEntries(await Promise.all(jobs)));
}

/**
 * Of what the panel is about: the band of a whole stack, or else the line that goes highest. Each family has points of
 * its own width.
 * @param {import("./panels.js").Panel} panel @param {import("./columns.js").Columns} columns
 */
function highestPoint({ band }, { lines, pointsOf }) {
  const reach = (line) => (point) => line.high?.(point) ?? line.value(point);
  const isKnown = band && pointsOf(band.family).some((point) => band.value(point) !== null);
  let [found, height] = [null, -Infinity];
  for (const line of isKnown ? [band] : lines) {
    const read = reach(line);
    for (const point of pointsOf(line.family)) {
      const value = read(point);
      if (value !== null && value > height) [found, height] = [point, value];
    }
  }
  return found;
}
