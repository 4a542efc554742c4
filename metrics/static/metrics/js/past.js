// What the tiles show of the past.

/** One point with the mean of every number over the time that each point stands for, also of those in lists. */
export function meanPoint(points) {
  return points.length ? meanOf(points, points.map((point) => point.resolution)) : null;
}

function meanOf(objects, seconds) {
  const made = { ...objects.at(-1) };
  for (const [name, value] of Object.entries(made)) {
    if (typeof value === "number") made[name] = meanNumber(objects.map((one) => one[name]), seconds);
    else if (Array.isArray(value) && typeof value[0] === "object") {
      made[name] = value.map((thing, place) => meanOf(objects.map((one) => one[name]?.[place] ?? thing), seconds));
    }
  }
  return made;
}

function meanNumber(values, seconds) {
  let [total, weight] = [0, 0];
  values.forEach((value, place) => {
    if (typeof value !== "number") return;
    total += value * seconds[place];
    weight += seconds[place];
  });
  return weight ? total / weight : null;
}

/**
 * No more values than a small line can show: of each few the highest, which stands for all of their time.
 * @param {{time: number, resolution: number, value: number | null}[]} values @param {number} most
 */
export function thinned(values, most) {
  const width = Math.max(1, Math.ceil(values.length / most));
  const made = [];
  for (let start = 0; start < values.length; start += width) {
    const few = values.slice(start, start + width);
    const known = few.filter((one) => one.value !== null);
    const { time } = few[0];
    const resolution = few.at(-1).time + few.at(-1).resolution - time;
    if (known.length) made.push({ time, resolution, value: known.reduce((most, one) => Math.max(most, one.value), -Infinity) });
  }
  return made;
}
