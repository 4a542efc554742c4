// What is not kept by its own name: excluded by a setting, or in the sum of the others. So that nobody looks for it in vain.

import { byId, element } from "./dom.js";
import { gettext, interpolate } from "./messages.js";

const WHAT = { interfaces: gettext("Network interfaces"), mounts: gettext("Mounts"), disks: gettext("Disks") };
const REASONS = {
  excluded: gettext("%(what)s that are not stored, by %(setting)s: %(count)s"),
  summed: gettext("%(what)s that are stored in the sum of the others only: %(count)s"),
};
const SUM = "others/";

/** What a thing of a list is called; the sum of many in words. @param {string} name */
export const shownName = (name) => (name.startsWith(SUM) ? gettext("All others, in one sum") : name);

/** A line for each sort of thing, which opens to the names. @param {any} host as the API describes it */
export function showLeftOut(host) {
  const node = byId("left-out");
  const known = JSON.stringify(host.left_out ?? []);
  if (node.dataset.known === known) return;
  node.dataset.known = known;
  node.replaceChildren(...(host.left_out ?? []).map(line));
  node.hidden = !node.childElementCount;
}

function line(left) {
  const { count, names, setting } = left;
  const words = interpolate(REASONS[left.reason], { what: WHAT[left.what] ?? left.what, setting, count });
  const rest = count > names.length ? [interpolate(gettext("and %(count)s more"), { count: count - names.length })] : [];
  return element("details", {}, element("summary", {}, words), element("p", {}, [...names, ...rest].join(", ")));
}
