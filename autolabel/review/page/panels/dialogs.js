/** Dialogs: keys, class, merging, finding, exporting. One is open at a time; Escape puts it away. */

import * as actions from "../actions.js";
import { byId, el } from "../dom.js";
import { BINDINGS, keyLabel } from "../keys.js";
import { classOf, nameOf, selectedObject } from "../lookups.js";
import { state, subscribe } from "../store.js";
import { chooser } from "./chooser.js";
import { button, counted } from "./parts.js";

let before = null;

/** Begin to show them. */
export const mountDialogs = () => {
  subscribe(["dialog"], () => {
    const { dialog } = state;
    if (dialog === null) {
      byId("dialogs").replaceChildren();
      before?.focus?.({ preventScroll: true });
      before = null;
      return;
    }
    before ??= document.activeElement;
    byId("dialogs").replaceChildren(shade(dialog));
    (byId("dialogs").querySelector("[data-first]") ?? byId("dialogs").querySelector(".dialog")).focus();
  });
};

const MAKERS = {
  help: () => ["Keys", helpContent()],
  class: () => ["Change the class", chooser("class", classRows(), (class_id) => actions.relabel(class_id))],
  merge: () => ["Merge with", chooser("merge", mergeRows(), (object_id) => actions.merge(object_id))],
  find: () => ["Find on this frame", findContent()],
  export: () => ["Export", exportContent()],
  exported: (dialog) => ["Exported", exportedContent(dialog)],
};

const shade = (dialog) => {
  const [title, content] = MAKERS[dialog.kind](dialog);
  return el(
    "div",
    { class: "shade", on: { pointerdown: (event) => event.target === event.currentTarget && actions.closeDialog() } },
    el(
      "div",
      { class: `dialog ${dialog.kind}`, testid: "dialog", role: "dialog", "aria-modal": "true", "aria-label": title, tabindex: "-1", on: { keydown: keepFocus } },
      el("div", { class: "dialog-head" }, el("h2", { text: title }), el("span", { class: "stretch" }), button("close-dialog", "✕", actions.closeDialog, { title: "Close (Esc)", class: "plain" })),
      ...content,
    ),
  );
};

/** Let the tab key go round within the dialog. */
const keepFocus = (event) => {
  if (event.key !== "Tab") return;
  const stops = [...event.currentTarget.querySelectorAll("button:not(:disabled), input, select")];
  const edge = event.shiftKey ? stops[0] : stops.at(-1);
  if (document.activeElement !== edge && document.activeElement !== event.currentTarget) return;
  event.preventDefault();
  (event.shiftKey ? stops.at(-1) : stops[0]).focus();
};

const helpContent = () => {
  const groups = Map.groupBy ? Map.groupBy(BINDINGS, ({ group }) => group) : groupedBy(BINDINGS);
  return [
    el(
      "div",
      { class: "keys" },
      ...[...groups].map(([name, bindings]) =>
        el(
          "section",
          {},
          el("h3", { text: name }),
          ...bindings.map(({ keys, words }) =>
            el("div", { class: "key-row" }, el("span", { class: "key-names" }, ...keys.map((key) => el("kbd", { text: keyLabel(key) }))), el("span", { text: words })),
          ),
        ),
      ),
    ),
  ];
};

const groupedBy = (bindings) => {
  const groups = new Map();
  for (const binding of bindings) groups.set(binding.group, [...(groups.get(binding.group) ?? []), binding]);
  return groups;
};

const classRows = () => {
  const now = selectedObject()?.class_id;
  return state.run.classes.map(({ class_id, name }) => ({ value: class_id, class_id, text: name, note: class_id === now ? "now" : "" }));
};

const mergeRows = () => {
  const own = selectedObject();
  if (own === null) return [];
  return state.input.objects
    .filter(({ object_id }) => object_id !== own.object_id)
    .sort((one, other) => (other.class_id === own.class_id) - (one.class_id === own.class_id) || one.object_id - other.object_id)
    .map((object) => ({ value: object.object_id, class_id: object.class_id, text: nameOf(object), note: `frames ${object.first} to ${object.last}` }));
};

const findContent = () => {
  const input = el("input", { type: "text", "data-first": true, testid: "find-text", placeholder: classOf(state.new_class).name, "aria-label": "What to find", maxlength: "200" });
  const submit = (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (text === "") return;
    actions.closeDialog();
    actions.find(text);
  };
  return [
    el("p", { class: "quiet", text: "The detector looks for these words on this frame; you choose which of what it finds to add." }),
    el("form", { class: "line", on: { submit } }, input, el("button", { type: "submit", class: "primary", testid: "button-find-now", text: "Find" })),
  ];
};

const exportContent = () => [
  el("p", { class: "quiet", text: `All of ${counted(state.run.inputs.length, "input")} as the labels stand, into the run's folder exports. The last dataset of the same format is replaced.` }),
  el(
    "div",
    { class: "formats" },
    ...state.run.formats.map((format) =>
      button(`export-${format}`, format, () => {
        actions.closeDialog();
        actions.exportRun(format);
      }),
    ),
  ),
];

const exportedContent = ({ format, result }) => [
  el("p", { text: `${counted(result.pictures, "picture")} as ${format}, in` }),
  el("code", { class: "path", testid: "export-path", text: result.path }),
  ...result.notes.map((note) => el("p", { class: "quiet small", text: note })),
  el("div", { class: "line end" }, button("done", "Done", actions.closeDialog, { class: "primary" })),
];
