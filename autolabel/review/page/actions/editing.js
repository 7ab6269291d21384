/** Changing labels: each change is on the server's disk before the page shows it. */

import { inputPath, post } from "../api.js";
import { selectedObject } from "../lookups.js";
import { giveBackSeconds, takeSeconds } from "../seconds.js";
import { set, state } from "../store.js";
import { attempt, reloadInput, say } from "./loading.js";
import { refreshTriage } from "./triage.js";

let line = Promise.resolve();

/**
 * Change the labels of the open input; changes wait for each other.
 *
 * @param {{action: string, [parameter: string]: unknown}} change
 * @returns {Promise<{revision: number, object_id: number | null} | null>} null when it was refused
 */
export const edit = (change) => {
  const done = line.then(() => attempt(() => send(change), "Saving"));
  line = done.catch(() => null);
  return done;
};

const send = async (change) => {
  const { name, revision } = state.input;
  const seconds = takeSeconds();
  let answer;
  try {
    answer = await post(inputPath(name, "edits"), { revision, seconds, edit: change });
  } catch (error) {
    giveBackSeconds(seconds);
    throw error;
  }
  if (answer.object_id !== null) set({ selected: answer.object_id, ghost: null });
  await Promise.all([attempt(reloadInput), attempt(refreshTriage)]);
  return answer;
};

/** Take the last change back. */
export const undo = async () => {
  const action = state.input?.undo ?? null;
  if (action === null) return say("Nothing to undo.");
  if (await edit({ action: "undo" })) say(`Undone: ${action}.`);
};

/** Do once more what was undone. */
export const redo = async () => {
  const action = state.input?.redo ?? null;
  if (action === null) return say("Nothing to redo.");
  if (await edit({ action: "redo" })) say(`Redone: ${action}.`);
};

const withObject = (fn) => {
  const object = selectedObject();
  if (object === null) return say("Select an object first.");
  return fn(object);
};

/** @type {(class_id: number) => Promise<unknown>} give the selected object another class */
export const relabel = (class_id) =>
  withObject(({ object_id }) => edit({ action: "relabel", object_id, class_id }));

/** Remove the selected object from this frame, or from the chosen range where there is one. */
export const deleteHere = () =>
  withObject(({ object_id }) => {
    const [first, last] = state.range ?? [state.frame, state.frame];
    return edit({ action: "delete", object_id, first, last });
  });

/** Remove the selected object from this frame on. */
export const deleteFromHere = () =>
  withObject(({ object_id }) => edit({ action: "delete", object_id, first: state.frame }));

/** Remove the selected object altogether. */
export const deleteWhole = () => withObject(({ object_id }) => edit({ action: "delete", object_id }));

/** @type {(other_id: number) => Promise<unknown>} make one of the selected object and another */
export const merge = (other_id) => withObject(({ object_id }) => edit({ action: "merge", object_id, other_id }));

/** Make an object of its own of what the selected one is from this frame on. */
export const split = () =>
  withObject(({ object_id }) => edit({ action: "split", object_id, frame_index: state.frame }));

/** Lock what the selected object is on this frame. */
export const lock = () => withObject(({ object_id }) => edit({ action: "lock", object_id, frame_index: state.frame }));

/** Say that this frame, or the chosen range, holds nothing. */
export const markEmpty = () => markFrames("mark_empty");

/** Say that every object is labelled, and rightly, on this frame or the chosen range. */
export const markExhaustive = () => markFrames("mark_exhaustive");

const markFrames = (action) => {
  const [first, last] = state.range ?? [state.frame, state.frame];
  return edit({ action, first, last });
};

/** @type {(index?: number | null) => Promise<unknown>} bring back what was rejected */
export const restore = async (index = state.ghost) => {
  if (index === null) return say("Select a rejected masklet first.");
  return edit({ action: "restore", index });
};

/** @type {(index?: number | null) => Promise<unknown>} confirm that something was rightly rejected */
export const dismiss = async (index = state.ghost) => {
  if (index === null) return say("Select a rejected masklet first.");
  return edit({ action: "dismiss", index });
};
