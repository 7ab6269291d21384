/** Keys: one table, from which the page listens and the `?` sheet is written. */

import * as actions from "./actions.js";
import { state } from "./store.js";

/**
 * @typedef {{keys: string[], words: string, run: () => unknown, group: string}} Binding `keys` as `event.key` has them,
 *   with "Ctrl+", "Shift+" and "Alt+" before them in this order; capital letters need no "Shift+"
 */

const group = (name, rows) => rows.map(([keys, words, run]) => ({ keys: keys.split(" "), words, run, group: name }));

/** @type {Binding[]} */
export const BINDINGS = [
  ...group("Queue", [
    ["a", "Accept: it is right as it stands", () => actions.accept()],
    ["x", "Reject: it is no object", () => actions.reject()],
    ["j", "Next open item", () => actions.next()],
    ["k", "Open item before", () => actions.previous()],
  ]),
  ...group("Time", [
    ["ArrowRight .", "One frame on", () => actions.step(1)],
    ["ArrowLeft ,", "One frame back", () => actions.step(-1)],
    ["Shift+ArrowRight", "Ten frames on", () => actions.step(10)],
    ["Shift+ArrowLeft", "Ten frames back", () => actions.step(-10)],
    ["Ctrl+ArrowRight", "Next keyframe", () => actions.goKeyframe(1)],
    ["Ctrl+ArrowLeft", "Keyframe before", () => actions.goKeyframe(-1)],
    ["]", "Where the object changes next", () => actions.goChange(1)],
    ["[", "Where the object changed before", () => actions.goChange(-1)],
    ["Home", "First frame", () => actions.goFirst()],
    ["End", "Last frame", () => actions.goLast()],
    ["Space", "Play or pause", () => actions.togglePlay(1)],
    ["Shift+Space", "Play backward or pause", () => actions.togglePlay(-1)],
    [">", "Play faster", () => actions.changeSpeed(1)],
    ["<", "Play slower", () => actions.changeSpeed(-1)],
    ["Alt+ArrowUp", "Zoom the time axis in", () => actions.zoomAxis(2)],
    ["Alt+ArrowDown", "Zoom the time axis out", () => actions.zoomAxis(0.5)],
    ["i", "Range begins here", () => actions.beginRange()],
    ["o", "Range ends here", () => actions.endRange()],
  ]),
  ...group("Objects", [
    ["ArrowDown", "Next object on this frame", () => actions.selectNext(1)],
    ["ArrowUp", "Object before on this frame", () => actions.selectNext(-1)],
    ["c", "Change its class", () => actions.openDialog("class")],
    ["m", "Merge with another object", () => actions.openDialog("merge")],
    ["s", "Split at this frame", () => actions.split()],
    ["l", "Lock it on this frame", () => actions.lock()],
    ["d", "Delete on this frame or the range", () => actions.deleteHere()],
    ["D", "Delete from this frame on", () => actions.deleteFromHere()],
    ["Ctrl+Delete Ctrl+Backspace", "Delete altogether", () => actions.deleteWhole()],
    ["r", "Bring a rejected one back", () => actions.restore()],
    ["E", "Mark this frame or the range empty", () => actions.markEmpty()],
    ["F", "Mark this frame or the range fully labelled", () => actions.markExhaustive()],
  ]),
  ...group("Correct", [
    ["v", "Select with the mouse", () => actions.setTool("select")],
    ["p", "Click points: left is object, right is not", () => actions.setTool("point")],
    ["b", "Draw a box", () => actions.setTool("box")],
    ["n", "New object", () => actions.beginObject()],
    ["/", "Find objects on this frame by a text", () => actions.openDialog("find")],
    ["Enter", "Propagate the correction", () => actions.propagate()],
    ["Shift+Enter", "Correct this frame alone", () => actions.propagate(0)],
    ["Backspace", "Take the last click back", () => actions.removePoint()],
    ["q", "Cancel what is running", () => actions.cancelJob()],
    ["Ctrl+z u", "Undo", () => actions.undo()],
    ["Ctrl+Shift+z Ctrl+y U", "Redo", () => actions.redo()],
  ]),
  ...group("View", [
    ["+ =", "Zoom in", () => actions.zoomBy(1.25)],
    ["-", "Zoom out", () => actions.zoomBy(0.8)],
    ["0", "Fit the frame", () => actions.fit()],
    ["1", "Actual size", () => actions.zoomActual()],
    ["f", "Fill, outline or no masks", () => actions.nextStyle()],
    ["h", "Hide the object or show it", () => actions.toggleHidden()],
    ["w", "This object alone or all", () => actions.toggleSolo()],
    ["H", "Show all objects", () => actions.showAll()],
    ["e", "Export", () => actions.openDialog("export")],
    ["Escape", "Put away: dialog, clicks, tool, range, selection", () => actions.escape()],
    ["?", "This sheet", () => actions.toggleHelp()],
  ]),
];

const byKey = new Map(BINDINGS.flatMap((binding) => binding.keys.map((key) => [key, binding])));

/** @type {(key: string) => string} how a key of the table is shown to people */
export const keyLabel = (key) => {
  const signs = { ArrowRight: "→", ArrowLeft: "←", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc" };
  const parts = key === "+" ? ["+"] : key.split("+");
  const shown = parts.map((part) => signs[part] ?? part);
  const capital = shown.at(-1).length === 1 && shown.at(-1) !== shown.at(-1).toLowerCase();
  return (capital ? ["Shift", ...shown] : shown).map((part) => (/^[a-z]$/.test(part) ? part.toUpperCase() : part)).join("+");
};

const nameOf = (event) => {
  const key = event.key === " " ? "Space" : event.key;
  const control = event.ctrlKey || event.metaKey;
  const letter = key.length === 1;
  const shift = event.shiftKey && (!letter || control);
  return `${control ? "Ctrl+" : ""}${shift ? "Shift+" : ""}${event.altKey ? "Alt+" : ""}${control && letter ? key.toLowerCase() : key}`;
};

const TYPING = "input:not([type=range]):not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]";

/** Keys that mean something to the element that has the focus. */
const isTaken = (event, name) => {
  const { target } = event;
  if (!(target instanceof Element)) return false;
  if (target.matches(TYPING)) return name !== "Escape";
  return target.matches("button, a, summary, [role=option]") && ["Enter", "Space"].includes(name) && target.matches(":focus-visible");
};

const bindingOf = (event) => {
  const name = nameOf(event);
  if (event.defaultPrevented || isTaken(event, name)) return undefined;
  if (state.problem !== null || (state.dialog !== null && !["Escape", "?"].includes(name))) return undefined;
  return byKey.get(name);
};

/** Begin to listen. The space bar counts when it is let go, unless the frame was moved meanwhile. */
export const mountKeys = () => {
  let isMoved = false;
  addEventListener("keydown", (event) => {
    const binding = bindingOf(event);
    if (binding === undefined) return;
    event.preventDefault();
    if (event.key !== " ") binding.run();
    else if (!event.repeat) isMoved = false;
  });
  addEventListener("keyup", (event) => {
    const binding = event.key === " " ? bindingOf(event) : undefined;
    if (binding === undefined) return;
    event.preventDefault();
    if (!isMoved) binding.run();
  });
  addEventListener("pointerdown", () => {
    isMoved = true;
  });
};
