// The frame of a panel: title, legend, what it means, where its data come from.

import { element, setText } from "./dom.js";
import { fill } from "./help.js";
import { shownName } from "./left-out.js";
import { gettext, interpolate } from "./messages.js";
import { change, state } from "./state.js";

export class Card {
  /** @param {import("./panels.js").Panel} panel @param {HTMLElement} grid */
  constructor(panel, grid) {
    this.panel = panel;
    this.legend = element("ul", { class: "legend" });
    this.plot = element("div", { class: `plot ${panel.form}` });
    this.chooser = panel.things ? this.makeChooser(panel.things) : null;
    /** Which addresses fill the panel. @type {() => [string, Record<string, any>][]} */
    this.calls = () => [];
    const title = element("h2", { id: `${panel.id}-title` }, panel.title);
    const head = element("div", { class: "head" }, title, this.makeHelp(), this.chooser, this.legend);
    this.node = element("section", { class: "card", id: `panel-${panel.id}`, "aria-labelledby": title.id }, head, this.plot);
    grid.append(this.node);
    this.cells = [];
  }

  /** One entry a line; the values come with `setValues`. @param {{label: string, color: string}[]} entries */
  setLegend(entries) {
    this.cells = entries.map(() => element("b"));
    const items = entries.map((entry, place) =>
      element("li", {}, element("i", { class: `swatch ${entry.color.slice(2)}` }), element("span", {}, entry.label), this.cells[place]),
    );
    this.legend.replaceChildren(...items);
  }

  /** @param {(string | null)[]} texts null hides the entry */
  setValues(texts) {
    texts.forEach((text, place) => {
      const cell = this.cells[place];
      if (!cell) return;
      cell.parentElement.hidden = text === null;
      setText(cell, text ?? "");
    });
  }

  /** The things that can be looked at one by one. @param {{name: string, isCounted: boolean}[]} things */
  setThings(things) {
    const chosen = state.only[this.panel.id];
    const isThere = !chosen || things.some(({ name }) => name === chosen);
    const counted = things.filter(({ isCounted }) => isCounted).map(({ name }) => name);
    const others = things.filter(({ isCounted }) => !isCounted).map(({ name }) => name);
    const all = [...counted, ...others, ...(isThere ? [] : [chosen])];
    const select = this.chooser;
    const isSame = select.length === all.length + 1 && all.every((name, place) => select.options[place + 1].value === name);
    if (!isSame) {
      const options = (names) => names.map((name) => element("option", { value: name }, shownName(name)));
      const group = element("optgroup", { label: gettext("Not in the total") }, ...options(all.slice(counted.length)));
      select.replaceChildren(element("option", { value: "" }, this.panel.things.all), ...options(counted), ...(group.childElementCount ? [group] : []));
    }
    select.value = chosen ?? "";
    select.hidden = all.length < 2;
  }

  makeChooser(things) {
    const label = interpolate(gettext("%(panel)s of"), { panel: this.panel.title });
    const select = element("select", { class: "chooser", "aria-label": label, hidden: true });
    select.append(element("option", { value: "" }, things.all));
    select.addEventListener("change", () => {
      const { [this.panel.id]: _before, ...others } = state.only;
      change({ only: select.value ? { ...others, [this.panel.id]: select.value } : others });
    });
    return select;
  }

  makeHelp() {
    const label = interpolate(gettext("About %(panel)s"), { panel: this.panel.title });
    const summary = element("summary", { "aria-label": label, title: label }, "?");
    const help = element("details", { class: "help" }, summary);
    help.addEventListener("toggle", () => help.open && fill(help, this));
    return help;
  }
}
