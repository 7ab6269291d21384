/** The bar over the stage: tools, what becomes of the prompts, and the job that runs. */

import * as actions from "../actions.js";
import { byId, el, refill } from "../dom.js";
import { isStills } from "../lookups.js";
import { state, subscribe } from "../store.js";
import { button, choice, counted } from "./parts.js";

const REACHES = [10, 25, 50, 100, 300];
const WORKING = { refine: "Tracking", add: "Tracking", find: "Looking", export: "Writing" };

const STYLES = { fill: "Filled", outline: "Outlined", none: "No masks" };
const HINTS = {
  point: "Click on the object, right-click where it is not",
  box: "Draw a box around the object",
};

/** Put it in its place. */
export const mountToolbar = () => {
  const draw = () => refill(byId("toolbar"), state.input === null ? [] : content());
  subscribe(["input", "tool", "style", "draft", "job", "reach", "new_class", "run"], draw);
  draw();
};

const content = () => [
  el("div", { class: "group" }, ...tools()),
  button("style", STYLES[state.style], actions.nextStyle, { key: "Fill, outline", class: "plain style", title: "How masks are drawn" }),
  el("span", { class: "stretch small quiet cut", testid: "tool-hint", text: hint() }),
  ...(state.job === null ? correction() : [runningJob(state.job)]),
];

const tools = () => [
  ...[
    ["select", "Select", "Select with"],
    ["point", "Points", "Click points"],
    ["box", "Box", "Draw a box"],
  ].map(([tool, text, key]) => button(`tool-${tool}`, text, () => actions.setTool(tool), { key, pressed: state.tool === tool })),
  button("new", "New", actions.beginObject, { key: "New object", title: "A new object by box" }),
];

const hint = () => (state.draft === null && state.job === null ? (HINTS[state.tool] ?? "") : "");

/** What can be done with the prompts; it keeps its place while there are none. */
const correction = () => {
  const isNone = state.draft === null;
  const isNew = !isNone && state.draft.object_id === null;
  return [
    ...(isNew ? [newClass()] : []),
    ...(isStills() ? [] : [reach()]),
    button("propagate", isNew ? "Add" : isStills() ? "Apply" : "Propagate", () => actions.propagate(), { key: "Propagate", class: "primary", disabled: isNone, showKey: true }),
    ...(isStills() ? [] : [button("this-frame", "This frame", () => actions.propagate(0), { key: "Correct this frame", disabled: isNone })]),
    button("discard", "✕", actions.discard, { title: "Put the clicks away (Esc)", class: "plain", disabled: isNone }),
  ];
};

const newClass = () => {
  const classes = state.run.classes.map(({ class_id, name }) => [String(class_id), name]);
  return choice("new-class", "Class of the new object", classes, String(state.new_class), (value) => actions.setNewClass(Number(value)));
};

const reach = () => {
  const reaches = REACHES.map((frames) => [String(frames), `± ${frames}`]);
  return choice("reach", "How many frames to either side at most", reaches, String(state.reach), (value) => actions.setReach(Number(value)));
};

const runningJob = ({ kind, state: stage, done, total }) =>
  el(
    "div",
    { class: "job", testid: "job", role: "status" },
    el("span", { class: "small", text: stage === "waiting" ? "Waiting for its turn" : `${WORKING[kind] ?? "Working"}: ${counted(done, "frame")}` }),
    el("progress", total > 1 ? { max: total, value: done } : {}),
    button("cancel", "Cancel", actions.cancelJob, { key: "Cancel" }),
  );
