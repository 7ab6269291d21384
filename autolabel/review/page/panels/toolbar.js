/** The bar over the stage: tools, what becomes of the prompts, and the job that runs. */

import * as actions from "../actions.js";
import { byId, el, refill } from "../dom.js";
import { state, subscribe } from "../store.js";
import { button, choice, counted } from "./parts.js";

const REACHES = [10, 25, 50, 100, 300];
const WORKING = { refine: "Tracking", add: "Tracking", find: "Looking", export: "Writing" };

/** Put it in its place. */
export const mountToolbar = () => {
  const draw = () => refill(byId("toolbar"), state.input === null ? [] : content());
  subscribe(["input", "tool", "style", "draft", "job", "reach", "new_class", "run"], draw);
  draw();
};

const content = () => [
  el("div", { class: "group" }, ...tools()),
  button("style", `Masks: ${state.style}`, actions.nextStyle, { key: "Fill, outline", class: "plain style" }),
  el("span", { class: "stretch" }),
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

/** What can be done with the prompts; it keeps its place while there are none. */
const correction = () => {
  const { draft } = state;
  const isNone = draft === null;
  const isNew = draft !== null && draft.object_id === null;
  const classes = state.run.classes.map(({ class_id, name }) => [String(class_id), name]);
  return [
    ...(isNew ? [choice("new-class", "Class of the new object", classes, String(state.new_class), (value) => actions.setNewClass(Number(value)))] : []),
    choice(
      "reach",
      "How many frames to either side",
      REACHES.map((reach) => [String(reach), `± ${reach}`]),
      String(state.reach),
      (value) => actions.setReach(Number(value)),
    ),
    button("propagate", isNew ? "Add" : "Propagate", () => actions.propagate(), { key: "Propagate", class: "primary", disabled: isNone, showKey: true }),
    button("this-frame", "This frame", () => actions.propagate(0), { key: "Correct this frame", disabled: isNone }),
    button("discard", "Discard", actions.discard, { title: "Put the clicks away", class: "plain", disabled: isNone }),
  ];
};

const runningJob = ({ kind, state: stage, done, total }) =>
  el(
    "div",
    { class: "job", testid: "job", role: "status" },
    el("span", { class: "small", text: stage === "waiting" ? "Waiting for its turn" : `${WORKING[kind] ?? "Working"}: ${counted(done, "frame")}` }),
    el("progress", total > 1 ? { max: total, value: done } : {}),
    button("cancel", "Cancel", actions.cancelJob, { key: "Cancel" }),
  );
