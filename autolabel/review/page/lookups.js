/** Questions about the state that many ask. */

import { state } from "./store.js";

const NO_CLASS = { name: "no class", colour: "#6b6b6b" };

/** @type {(class_id: number) => {name: string, colour: string}} */
export const classOf = (class_id) => state.run?.classes.find((one) => one.class_id === class_id) ?? NO_CLASS;

/** @type {(object_id: number | null) => import("./store.js").ObjectView | null} */
export const objectOf = (object_id) => state.input?.objects.find((one) => one.object_id === object_id) ?? null;

/** @type {() => import("./store.js").ObjectView | null} the selected object */
export const selectedObject = () => objectOf(state.selected);

/** @type {(index: number | null) => import("./store.js").RejectedView | null} */
export const rejectedOf = (index) => state.input?.rejected.find((one) => one.index === index) ?? null;

/** Identities from here on were given to objects that people added; they are told apart by what comes after. */
const FIRST_HUMAN_ID = 1_000_000;

/** @type {(object_id: number) => string} how an object is called: "12", or "h3" for the third one that people added */
export const shortId = (object_id) => (object_id < FIRST_HUMAN_ID ? `${object_id}` : `h${object_id - FIRST_HUMAN_ID + 1}`);

/** @type {(object: {object_id: number, class_id: number}) => string} class and number */
export const nameOf = (object) => `${classOf(object.class_id).name} ${shortId(object.object_id)}`;

/** @type {(name: string) => string | null} why an input has no pictures */
export const problemOf = (name) => state.run?.inputs.find((input) => input.name === name)?.problem ?? null;

/** @type {() => object | null} the queue's item that is being worked on */
export const queueItem = () => state.queue.find((item) => item.key === state.queue_at) ?? null;

/**
 * Row of a frame: its place among the frames of the open input; the last one before it where it is not labelled itself.
 *
 * @param {number} frame_index
 */
export const rowOf = (frame_index) => {
  const frames = state.input.frame_indices;
  let low = 0;
  let high = frames.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (frames[middle] <= frame_index) low = middle;
    else high = middle - 1;
  }
  return low;
};

/** @type {(frame_index: number) => number[]} width and height of a frame in pixels */
export const sizeOf = (frame_index) => {
  const sizes = state.input.sizes_wh;
  return sizes.length === 1 ? sizes[0] : sizes[rowOf(frame_index)];
};

/** @type {() => boolean} whether the open input is a folder of stills */
export const isStills = () => state.input?.kind === "images";
