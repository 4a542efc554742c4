// Disks, interfaces, mount points: what stands in the lists of a point.

// What passes through these also passes through the disk or the interface below them.
const STACKED = {
  devices: /^(dm-|md|loop|zram)\d/,
  interfaces: /^(lo\d*$|Loopback|veth|docker\d|br-|virbr|ifb|tap|tun|wg|cni|flannel|cali|vnet)/i,
};

/** The things that a total counts: each byte once. @param {string} collection @param {any[]} things @param {string} label */
export function counted(collection, things, label) {
  const stacked = STACKED[collection];
  const plain = stacked ? things.filter((thing) => !stacked.test(thing[label])) : things;
  return plain.length ? plain : things;
}

/** Every name that occurs in a list of the points. @param {any[]} points @param {string} collection @param {string} label */
export function names(points, collection, label) {
  const found = new Set();
  for (const point of points) for (const thing of point?.[collection] ?? []) found.add(thing[label]);
  return [...found].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
}

/**
 * A field of a list as one number: of one thing, or the total. Of maxima, which need not have been at the same time,
 * the total takes the highest.
 */
export function amount(point, collection, label, field, only, { isMaximum = false } = {}) {
  const things = point[collection] ?? [];
  if (only) return things.find((thing) => thing[label] === only)?.[field] ?? null;
  const values = counted(collection, things, label).map((thing) => thing[field] ?? null).filter((value) => value !== null);
  if (!values.length) return null;
  return isMaximum ? Math.max(...values) : values.reduce((sum, value) => sum + value, 0);
}
