/** Prompts on a frame, and the mask that answers them. */

import { inputPath, post } from "../api.js";
import { set, state } from "../store.js";
import { attempt, say } from "./loading.js";

let asking = new AbortController();

const draftHere = () => {
  const frame_index = state.masks.frame_index;
  const { draft, selected } = state;
  const same = draft !== null && draft.frame_index === frame_index && draft.object_id === selected;
  return same ? draft : { object_id: selected, frame_index, points: [], xyxy: null, answer: null };
};

/** @type {(point: import("../store.js").Point) => Promise<void>} add a click, in pixels of the frame */
export const addPoint = (point) => {
  const draft = draftHere();
  set({ draft: { ...draft, points: [...draft.points, point] } });
  return preview();
};

/** @type {(xyxy: number[]) => Promise<void>} set the box, in pixels of the frame */
export const setBox = (xyxy) => {
  set({ draft: { ...draftHere(), xyxy } });
  return preview();
};

/** Take the last click back, or the box when no click is left. */
export const removePoint = () => {
  const { draft } = state;
  if (draft === null) return undefined;
  const left = draft.points.length > 0 ? { points: draft.points.slice(0, -1) } : { xyxy: null };
  const next = { ...draft, ...left };
  if (next.points.length === 0 && next.xyxy === null) return discard();
  set({ draft: next });
  return preview();
};

/** Put the prompts away. */
export const discard = () => {
  asking.abort();
  set({ draft: null });
};

/** Ask for the mask that answers the prompts; only the newest question counts. */
export const preview = async () => {
  asking.abort();
  asking = new AbortController();
  const { draft } = state;
  if (draft === null) return;
  const { object_id, frame_index, points, xyxy } = draft;
  const body = { object_id, frame_index, points, xyxy };
  const { signal } = asking;
  const answer = await attempt(() => post(inputPath(state.input.name, "previews"), body, { signal }), "Asking the tracker");
  if (answer === null || state.draft !== draft) return;
  set({ draft: { ...draft, answer } });
  if (answer.counts === null) say("The tracker sees nothing there; click elsewhere or draw a box.");
};

/** Begin a new object: the next clicks or the next box are its own. */
export const beginObject = () => set({ selected: null, ghost: null, draft: null, tool: "box" });

/** @type {(class_id: number) => void} class of the next new object */
export const setNewClass = (class_id) => set({ new_class: class_id });

/**
 * Take one of the things that were found as the box of a new object.
 *
 * @param {{xyxy: number[]}} one
 */
export const takeFound = ({ xyxy }) => {
  set({ selected: null, ghost: null });
  return setBox(xyxy);
};
