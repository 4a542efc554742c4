// What a panel means and where its data come from.

import { address } from "./api.js";
import { element } from "./dom.js";
import { gettext } from "./messages.js";

/** One plain sentence for each panel that is laid out by hand. */
const HELP = {
  cpu: gettext("The share of the time in which the cores worked, all of them together, and below it the process that used the most."),
  cores: gettext("One row for each core: the darker, the busier. One dark row is a program that uses a single core."),
  memory: gettext("Used memory is what programs hold; the cache is given back when they need more. Growing swap means that memory is short."),
  load: gettext("How many processes ran or waited to run. Above the dashed line, the number of cores, some of them had to wait."),
  disk: gettext("Bytes read, above, and written, below, each second: by all disks, each byte once, or by the one that you choose."),
  network: gettext("Bytes received, above, and sent, below, each second: by all interfaces, each byte once, or by the one that you choose."),
  connections: gettext("How many TCP connections are established, how many are closed and only kept for stray packets, and how many UDP sockets there are."),
  errors: gettext("TCP segments that had to be sent again, connections that were turned away because a program did not accept them in time, and UDP datagrams that were lost here: each second."),
  pressure: gettext("The share of the time in which something had to wait for a CPU, for memory or for a disk: what makes a machine feel slow."),
  space: gettext("How full each file system is, of what users may fill; the fullest first."),
};

/** @param {HTMLDetailsElement} help @param {import("./card.js").Card} card */
export function fill(help, card) {
  if (help.childElementCount === 1) {
    help.append(element("div"));
    help.addEventListener("keydown", (event) => {
      if (event.key === "Escape") help.open = false;
    });
    help.addEventListener("focusout", (event) => {
      if (event.relatedTarget instanceof Node && !help.contains(event.relatedTarget)) help.open = false;
    });
  }
  const calls = element("p", { class: "calls" }, ...card.calls().map(([path, query]) => call(path, query)));
  help.lastElementChild.replaceChildren(element("p", {}, card.panel.help ?? HELP[card.panel.id]), calls);
}

/** The address of the API, and links to it as a table and as it is. */
function call(path, query) {
  const format = (name) => element("a", { href: address(path, { ...query, format: name }) }, name.toUpperCase());
  return element("span", {}, element("code", {}, `GET ${decodeURIComponent(address(path, query))}`), format("csv"), format("json"));
}
