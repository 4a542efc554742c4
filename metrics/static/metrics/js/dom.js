// Elements are made here, with text and never with markup: a process may be called anything.

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name @param {Record<string, any>} [properties] `class`, attributes with a dash or colon, else properties
 * @param {...(Node | string | null)} children @returns {HTMLElementTagNameMap[Name]}
 */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "class") made.className = value;
    else if (key === "dataset") Object.assign(made.dataset, value);
    else if (key in made && !key.includes("-")) made[key] = value;
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);

/** Set a text only where it differs: the browser then has nothing to lay out. @param {Element} node @param {string} text */
export function setText(node, text) {
  const { firstChild } = node;
  if (!(firstChild instanceof Text) || firstChild.nextSibling) node.textContent = text;
  else if (firstChild.data !== text) firstChild.data = text;
}

/** Mark what waits for new content, and show it where that takes long. @param {HTMLElement} node @param {Promise<any>} work */
export function showBusy(node, work) {
  const done = () => node.work === work && node.removeAttribute("aria-busy");
  node.work = work;
  node.setAttribute("aria-busy", "true");
  work.then(done, done);
}

/** A colour of the style sheet. @param {string} name @param {Element} [node] that it is for */
export const color = (name, node = document.documentElement) => getComputedStyle(node).getPropertyValue(name).trim();

/** Say something to a screen reader. @param {string} text */
export const announce = (text) => setText(byId("announcement"), text);
