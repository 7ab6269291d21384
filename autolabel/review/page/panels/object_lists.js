/** All objects of the input, and all that was rejected. */

import * as actions from "../actions.js";
import { el } from "../dom.js";
import { classOf, nameOf } from "../lookups.js";
import { state } from "../store.js";
import { button, swatch } from "./parts.js";
import { markStop, moveFocus } from "./roving.js";

let isRejectedShown = false;

/**
 * The two lists, one of them open.
 *
 * @param {() => void} redraw
 * @returns {HTMLElement[]}
 */
export const listContent = (redraw) => {
  const { objects, rejected } = state.input;
  const show = (isRejected) => {
    isRejectedShown = isRejected;
    redraw();
  };
  const rows = isRejectedShown ? rejectedRows(rejected) : objectRows(objects);
  markStop(rows);
  return [
    el(
      "div",
      { class: "panel-head" },
      button("list-objects", `Objects ${objects.length}`, () => show(false), { class: "plain", pressed: !isRejectedShown }),
      button("list-rejected", `Rejected ${rejected.length}`, () => show(true), { class: "plain", pressed: isRejectedShown }),
    ),
    el("div", { class: "scroll", testid: "object-list", on: { keydown: moveFocus } }, ...rows),
  ];
};

const row = (testid, class_id, text, note, run) =>
  el(
    "button",
    { type: "button", class: "row", testid, on: { click: run } },
    swatch(class_id),
    el("span", { class: "cut stretch", text }),
    el("span", { class: "quiet small", text: note }),
  );

const objectRows = (objects) => {
  if (objects.length === 0) {
    return [el("p", { class: "empty quiet", text: "No objects here. Draw a box (B), or find some by words (/)." })];
  }
  return [...objects]
    .sort((one, other) => other.doubt - one.doubt || one.object_id - other.object_id)
    .map((object) =>
      row(`object-${object.object_id}`, object.class_id, nameOf(object), object.accepted ? "✓" : noteOf(object), () => {
        actions.select(object.object_id);
        actions.goToSelected();
      }),
    );
};

const noteOf = ({ doubt }) => (doubt > 0 ? `doubt ${doubt.toFixed(2)}` : "");

const rejectedRows = (rejected) => {
  if (rejected.length === 0) return [el("p", { class: "empty quiet", text: "Nothing was rejected here." })];
  return rejected.map((one) =>
    row(`rejected-${one.index}`, one.class_id, `${classOf(one.class_id).name}: ${one.reason}`, one.restored ? "back" : one.dismissed ? "✓" : "", () => {
      actions.selectGhost(one.index);
      actions.seek(one.frame_index);
    }),
  );
};
