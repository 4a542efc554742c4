// The page's words: English in the source, translated by a catalogue that gettext compiled.

const address = document.documentElement.dataset.messages;

/** @returns {Promise<Record<string, string>>} nothing where there is no catalogue: English is readable too */
async function load() {
  if (!address) return {};
  const response = await fetch(address).catch(() => null);
  return response?.ok ? response.json() : {};
}

const catalogue = await load();

/** @param {string} text @returns {string} */
export const gettext = (text) => catalogue[text] || text;

/** Put values into a text: `interpolate("%(n)s points", { n: 3 })`. @param {string} text @param {Record<string, any>} values */
export const interpolate = (text, values) => text.replace(/%\((\w+)\)s/g, (_, name) => String(values[name]));
