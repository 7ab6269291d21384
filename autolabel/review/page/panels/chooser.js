/** A list that is searched by typing; a digit takes the row of that number, Enter the first one, arrows walk through it. */

import * as actions from "../actions.js";
import { el } from "../dom.js";
import { swatch } from "./parts.js";
import { moveFocus } from "./roving.js";

/** Rows that have a digit as their key. */
const DIGITS = 9;

/**
 * The content of a dialog in which one thing is chosen.
 *
 * @template T
 * @param {string} name for tests: `<name>-search` and `<name>-<value>`
 * @param {{value: T, class_id: number, text: string, note: string}[]} rows
 * @param {(value: T) => unknown} take
 * @returns {HTMLElement[]}
 */
export const chooser = (name, rows, take) => {
  const pick = ({ value }) => {
    actions.closeDialog();
    take(value);
  };
  const list = el("div", { class: "choices", role: "listbox", "aria-label": "What there is", on: { keydown: moveFocus } });
  let found = rows;
  const draw = (text) => {
    const wanted = text.trim().toLowerCase();
    found = rows.filter((row) => row.text.toLowerCase().includes(wanted));
    const nothing = el("p", { class: "quiet", text: "Nothing of that name." });
    list.replaceChildren(...(found.length === 0 ? [nothing] : found.map((row, at) => rowOf(name, row, at, () => pick(row)))));
  };
  const keydown = (event) => {
    if (event.key === "ArrowDown") {
      event.preventDefault();
      list.querySelector("button")?.focus();
      return;
    }
    const digit = input.value === "" ? Number.parseInt(event.key, 10) : Number.NaN;
    const row = event.key === "Enter" ? found[0] : found[digit - 1];
    if (row === undefined) return;
    event.preventDefault();
    pick(row);
  };
  const input = el("input", {
    type: "text",
    "data-first": true,
    testid: `${name}-search`,
    placeholder: "type to search, 1–9 to choose",
    "aria-label": "Search",
    on: { input: () => draw(input.value), keydown },
  });
  draw("");
  return [input, list];
};

const rowOf = (name, { value, class_id, text, note }, at, click) =>
  el(
    "button",
    { type: "button", class: "row", role: "option", testid: `${name}-${value}`, on: { click } },
    el("kbd", { class: at < DIGITS ? null : "none", text: String(at + 1) }),
    swatch(class_id),
    el("span", { class: "cut stretch", text }),
    el("span", { class: "quiet small", text: note }),
  );
