// The zone of all times that are shown: that of the program, as in the admin and the terminal, wherever the reader is.

const asked = /** @type {HTMLElement | null} */ (document.querySelector("[data-time-zone]"))?.dataset.timeZone;

/** @returns {string | undefined} nothing where the browser does not know it: then its own is used */
function known(name) {
  try {
    return name && new Intl.DateTimeFormat("en", { timeZone: name }) ? name : undefined;
  } catch {
    return undefined;
  }
}

/** @type {string | undefined} */
export const zone = known(asked);

// Swedish writes a time as ISO 8601 does.
const wall = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium", timeZone: zone });

/** What clocks show at a moment, as <input type=datetime-local> takes it. @param {number} time */
export const wallTime = (time) => wall.format(time * 1000).replace(" ", "T");

/** The moment at which clocks show so. @param {string} text as of `wallTime`, seconds may be missing @returns {number} */
export function fromWallTime(text) {
  const shown = Date.parse(`${text}Z`) / 1000;
  const offsetAt = (time) => Date.parse(`${wallTime(time)}Z`) / 1000 - time;
  // The offset of about then may be that of the other side of a change to summer time.
  const near = shown - offsetAt(shown);
  return shown - offsetAt(near);
}

/** The zone's name where clocks at the reader's show another time. */
export const foreignZone = (() => {
  const here = new Date().toLocaleString("sv-SE");
  return zone && new Date().toLocaleString("sv-SE", { timeZone: zone }) !== here ? zone : "";
})();

/** For uPlot, whose axis begins days where the zone does. @param {number} time */
export const zonedDate = (time) => (zone ? uPlot.tzDate(new Date(time * 1000), zone) : new Date(time * 1000));
