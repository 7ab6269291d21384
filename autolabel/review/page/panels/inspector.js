/** What is known of the selected object and what can be done about it; all objects where none is selected. */

import * as actions from "../actions.js";
import { byId, el, refill } from "../dom.js";
import { classOf, isStills, nameOf, rejectedOf, selectedObject } from "../lookups.js";
import { state, subscribe } from "../store.js";
import { listContent } from "./object_lists.js";
import { button, choice, counted, percent, swatch } from "./parts.js";

/** Put it in its place. */
export const mountInspector = () => {
  const draw = () => refill(byId("inspector"), state.input === null ? [] : content(draw));
  subscribe(["input", "selected", "ghost", "hidden", "solo", "range", "found", "new_class", "run"], draw);
  draw();
};

const content = (redraw) => {
  if (state.found !== null) return foundContent(state.found);
  const object = selectedObject();
  if (object !== null) return objectContent(object);
  const rejected = rejectedOf(state.ghost);
  if (rejected !== null) return rejectedContent(rejected);
  return listContent(redraw);
};

const head = (class_id, title, ...more) =>
  el(
    "div",
    { class: "panel-head" },
    swatch(class_id),
    el("h2", { class: "cut", testid: "inspector-name", text: title }),
    ...more,
    el("span", { class: "stretch" }),
    button("close-inspector", "✕", actions.escape, { title: "All objects", class: "plain small" }),
  );

const fact = (term, words) => [el("dt", { text: term }), el("dd", {}, ...(Array.isArray(words) ? words : [words]))];

const frameLink = (frame_index) =>
  el("button", { type: "button", class: "link", testid: `frame-link-${frame_index}`, text: String(frame_index), on: { click: () => actions.seek(frame_index) } });

const span = ({ first, last }, ...more) =>
  first === last ? fact("frame", [frameLink(first)]) : fact("frames", [frameLink(first), " to ", frameLink(last), ...more]);

const MOST_LINKS = 12;

const frameFact = (term, frames) => {
  if (frames.length === 0) return [];
  const more = frames.length > MOST_LINKS ? [`and ${frames.length - MOST_LINKS} more`] : [];
  return fact(term, [...frames.slice(0, MOST_LINKS).flatMap((frame) => [frameLink(frame), " "]), ...more]);
};

const objectContent = (object) => [
  head(object.class_id, nameOf(object), ...(object.accepted ? [el("span", { class: "chip good", testid: "accepted", text: "accepted" })] : [])),
  el(
    "div",
    { class: "scroll" },
    ...(object.doubts.length > 0 ? [doubtList(object.doubts)] : [el("p", { class: "quiet small", text: "Nothing speaks against it." })]),
    el(
      "dl",
      { class: "facts small" },
      ...fact("score", object.score.toFixed(2)),
      ...(object.margin === null ? [] : fact("margin", object.margin.toFixed(2))),
      ...span(object, `, visible on ${object.visible}`),
      ...frameFact("detections", object.detections),
      ...frameFact("by a person", object.human),
      ...frameFact("locked", object.locked),
      ...(object.flags.length > 0 ? fact("flags", object.flags.join("; ")) : []),
    ),
    el("div", { class: "acts" }, ...acts(object)),
    el("h3", { text: "Delete" }),
    el("div", { class: "acts three" }, ...deletions()),
  ),
];

const doubtList = (doubts) =>
  el(
    "ul",
    { class: "doubts small" },
    ...doubts.map(({ reason, strength, frame_index, words }) =>
      el(
        "li",
        {},
        el("button", {
          type: "button",
          class: "link",
          testid: `doubt-${reason.replaceAll(" ", "-")}`,
          title: `${reason}, ${percent(strength)}; go to frame ${frame_index}`,
          text: words,
          on: { click: () => actions.seek(frame_index) },
        }),
      ),
    ),
  );

const acts = ({ object_id }) => [
  button("change-class", "Class …", () => actions.openDialog("class"), { key: "Change its class", showKey: true }),
  button("merge", "Merge …", () => actions.openDialog("merge"), { key: "Merge with", showKey: true }),
  button("split", "Split here", actions.split, { key: "Split at", title: "From this frame on it is another object", showKey: true, disabled: isStills() }),
  button("lock", "Lock here", actions.lock, { key: "Lock it", title: "What it is on this frame stays", showKey: true }),
  button("hide", state.hidden.has(object_id) ? "Show" : "Hide", () => actions.toggleHidden(), { key: "Hide the object", showKey: true, pressed: state.hidden.has(object_id) }),
  button("solo", "Alone", () => actions.toggleSolo(), { key: "This object alone", showKey: true, pressed: state.solo === object_id }),
];

const deletions = () => {
  const [where, there] = state.range === null ? ["Here", "on this frame"] : ["In range", "in the range"];
  return [
    button("delete-here", where, actions.deleteHere, { key: "Delete on", title: `Delete it ${there}`, class: "danger" }),
    button("delete-from-here", "From here", actions.deleteFromHere, { key: "Delete from", title: "Delete it from this frame on", class: "danger", disabled: isStills() }),
    button("delete-whole", "Whole", actions.deleteWhole, { key: "Delete altogether", title: "Delete it altogether", class: "danger" }),
  ];
};

const rejectedContent = (rejected) => [
  head(rejected.class_id, `rejected: ${classOf(rejected.class_id).name}`),
  el(
    "div",
    { class: "scroll" },
    el("p", { class: "small", text: `Not kept, for: ${rejected.reason}.` }),
    el(
      "dl",
      { class: "facts small" },
      ...fact("score", rejected.score.toFixed(2)),
      ...span(rejected, ", largest on ", frameLink(rejected.frame_index)),
      ...fact("a person", rejected.restored ? "brought it back" : rejected.dismissed ? "confirmed that" : "has not looked"),
    ),
    el(
      "div",
      { class: "acts" },
      button("restore", "Bring back", () => actions.restore(), { key: "Bring a rejected" }),
      button("dismiss", "Rightly rejected", () => actions.dismiss(), { class: "danger" }),
    ),
  ),
];

const foundContent = ({ text, boxes }) => [
  el(
    "div",
    { class: "panel-head" },
    el("h2", { class: "cut", text: `“${text}”` }),
    el("span", { class: "quiet small", testid: "found-count", text: counted(boxes.length, "place") }),
    el("span", { class: "stretch" }),
    button("close-found", "✕", actions.escape, { title: "Put away", class: "plain small" }),
  ),
  el(
    "div",
    { class: "scroll" },
    boxes.length === 0 ? el("p", { class: "quiet", text: "Nothing on this frame looks like that. Try other words, or draw a box." }) : newClass(),
    ...boxes.map((one, at) =>
      el(
        "div",
        { class: "found-row" },
        el("span", { text: `${at + 1}` }),
        el("span", { class: "stretch quiet small", text: `score ${one.score.toFixed(2)}` }),
        button(`take-found-${at}`, "Take", () => actions.takeFound(one), { title: "Show its mask; then add it" }),
      ),
    ),
  ),
];

const newClass = () =>
  el(
    "label",
    { class: "small field" },
    "Class of what is added",
    choice(
      "found-class",
      "Class of what is added",
      state.run.classes.map(({ class_id, name }) => [String(class_id), name]),
      String(state.new_class),
      (value) => actions.setNewClass(Number(value)),
    ),
  );
