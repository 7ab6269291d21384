/** Small parts that several panels are made of. */

import { el } from "../dom.js";
import { BINDINGS, keyLabel } from "../keys.js";
import { classOf } from "../lookups.js";

/** The key that does what a button does, by the first words of the key table's row. */
const keyOf = (words) => BINDINGS.find((binding) => binding.words.startsWith(words))?.keys[0];

/**
 * A button with the key that does the same.
 *
 * @param {string} name for tests: `button-<name>`
 * @param {string} text
 * @param {() => unknown} run
 * @param {{key?: string, class?: string, title?: string, pressed?: boolean, disabled?: boolean, showKey?: boolean}} [options]
 *   `key` is the beginning of its words in the key table
 */
export const button = (name, text, run, options = {}) => {
  const key = options.key === undefined ? undefined : keyOf(options.key);
  const label = key === undefined ? (options.title ?? null) : `${options.title ?? text} (${keyLabel(key)})`;
  const shown = key !== undefined && options.showKey ? [el("kbd", { text: keyLabel(key) })] : [];
  return el(
    "button",
    {
      type: "button",
      class: options.class,
      testid: `button-${name}`,
      title: label,
      "aria-pressed": options.pressed === undefined ? null : String(options.pressed),
      disabled: options.disabled ?? false,
      on: { click: () => run() },
    },
    text,
    ...shown,
  );
};

/** @type {(class_id: number) => HTMLElement} the colour of a class */
export const swatch = (class_id) => el("span", { class: "swatch", style: { background: classOf(class_id).colour } });

/**
 * Choose among a few.
 *
 * @param {string} name for tests: `choice-<name>`
 * @param {string} label
 * @param {[string, string][]} options value and text of each
 * @param {string} value
 * @param {(value: string) => unknown} run
 */
export const choice = (name, label, options, value, run) =>
  el(
    "select",
    { testid: `choice-${name}`, "aria-label": label, title: label, on: { change: (event) => chosen(event.target, run) } },
    ...options.map(([one, text]) => el("option", { value: one, text, selected: one === value })),
  );

/** After a choice with the mouse the keys are the page's again. */
const chosen = (select, run) => {
  if (!select.matches(":focus-visible")) select.blur();
  run(select.value);
};

/** @type {(count: number, noun: string) => string} */
export const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** @type {(share: number) => string} */
export const percent = (share) => `${Math.round(100 * share)} %`;

/** @type {(seconds: number) => string} */
export const duration = (seconds) => {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};
