// What the tiles show of the past.

/** One point with the mean of every number, also of those in lists. */
export function meanPoint(points) {
  const known = points.filter(Boolean);
  return known.length ? meanOf(known) : null;
}

function meanOf(objects) {
  const made = { ...objects.at(-1) };
  for (const [name, value] of Object.entries(made)) {
    if (typeof value === "number") made[name] = meanNumber(objects.map((one) => one[name]));
    else if (Array.isArray(value) && typeof value[0] === "object") made[name] = value.map((thing, place) => meanOf(objects.map((one) => one[name]?.[place] ?? thing)));
  }
  return made;
}

function meanNumber(values) {
  const known = values.filter((value) => typeof value === "number");
  return known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
}

/** No more values than a small line can show: of each few the highest. @param {(number | null)[]} values @param {number} most */
export function thinned(values, most) {
  const width = Math.max(1, Math.ceil(values.length / most));
  const made = [];
  for (let start = 0; start < values.length; start += width) {
    const known = values.slice(start, start + width).filter((value) => value !== null);
    made.push(known.length ? Math.max(...known) : null);
  }
  return made;
}
