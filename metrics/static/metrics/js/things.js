// Disks, interfaces, mount points: what stands in the lists of a point.

/** What the newest tick says of disks and interfaces, for points that were recorded before it was. */
const newest = { host: null, isCounted: new Map() };

/** @param {any} tick as /metrics/current gives it */
export function learn(tick) {
  newest.host = tick.host;
  newest.isCounted.clear();
  for (const [collection, label, things] of [
    ["devices", "device", tick.disk?.devices],
    ["interfaces", "interface", tick.network?.interfaces],
  ]) {
    for (const thing of things ?? []) newest.isCounted.set(`${collection} ${thing[label]}`, thing.is_counted);
  }
}

/** Whether the newest tick of a host is known. @param {string | undefined} host */
export const knows = (host) => newest.host !== null && newest.host === host;

/** Whether a total counts a thing; null where nobody ever said. */
const isCounted = (collection, label) => (thing) => thing.is_counted ?? newest.isCounted.get(`${collection} ${thing[label]}`) ?? null;

/**
 * Every name that occurs in a list of the points, and whether the total counts it.
 * @param {any[]} points @param {string} collection @param {string} label @returns {{name: string, isCounted: boolean}[]}
 */
export function names(points, collection, label) {
  const found = new Map();
  const counts = isCounted(collection, label);
  for (const point of points) for (const thing of point?.[collection] ?? []) found.set(thing[label], counts(thing) ?? true);
  const sorted = [...found.keys()].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
  return sorted.map((name) => ({ name, isCounted: found.get(name) }));
}

/**
 * A field of a list as one number: of one thing, or the total, which counts each byte once. Where nobody says which
 * things those are, it is the highest of them, the least that it can be. Of maxima, which need not have been at the same
 * time, the total takes the highest.
 */
export function amount(point, collection, label, field, only, { isMaximum = false } = {}) {
  const things = point[collection] ?? [];
  if (only) return things.find((thing) => thing[label] === only)?.[field] ?? null;
  const counts = isCounted(collection, label);
  const sure = things.filter((thing) => counts(thing) === true);
  const open = sure.length ? sure : things.filter((thing) => counts(thing) === null);
  const values = open.map((thing) => thing[field] ?? null).filter((value) => value !== null);
  if (!values.length) return null;
  return isMaximum || !sure.length ? values.reduce((most, value) => Math.max(most, value), -Infinity) : values.reduce((sum, value) => sum + value, 0);
}
