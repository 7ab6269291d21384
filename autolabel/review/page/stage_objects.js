/** What of the shown frame is drawn as an object, and which object is at a place. */

import { classOf } from "./lookups.js";
import { isWithin, shapeOf } from "./rle.js";
import { state } from "./store.js";

/**
 * @typedef {{object_id: number | null, class_id: number, colour: string, shape: import("./rle.js").Shape, locked: boolean,
 *   isNew: boolean}} Drawn `isNew` is what a running job has just decided
 */

/**
 * The objects that are drawn on a frame, in the order of drawing: large ones below, the selected one on top.
 *
 * @param {import("./pictures.js").Picture} picture
 * @returns {Drawn[]}
 */
export const drawnObjects = ({ frame_index, masks }) => {
  const height = masks.size_wh[1];
  const job = jobMask(frame_index);
  const drawn = [];
  for (const mask of masks.objects) {
    if (!isVisible(mask.object_id) || (job !== null && job.object_id === mask.object_id)) continue;
    drawn.push(drawnOf(mask, height));
  }
  if (job?.counts) drawn.push({ ...drawnOf(job, height), isNew: true });
  const rank = (one) => (one.object_id === state.selected ? 1 : 0);
  return drawn.filter((one) => one.shape !== null).sort((a, b) => rank(a) - rank(b) || b.shape.area - a.shape.area);
};

const drawnOf = ({ object_id, class_id, counts, locked = false }, height) => ({
  object_id,
  class_id,
  colour: classOf(class_id).colour,
  shape: shapeOf(counts, height),
  locked,
  isNew: false,
});

const isVisible = (object_id) => {
  if (state.style === "none") return object_id === state.selected;
  return state.solo === null ? !state.hidden.has(object_id) : object_id === state.solo;
};

/** What the running job decided on a frame; null where it decided nothing yet. */
const jobMask = (frame_index) => {
  const { job, input } = state;
  if (job === null || job.input !== input.name || !job.masks.has(frame_index)) return null;
  const known = input.objects.find((one) => one.object_id === job.object_id);
  return { object_id: job.object_id, class_id: known?.class_id ?? state.new_class, counts: job.masks.get(frame_index) };
};

/**
 * The object at a place of the frame: the selected one if it is there, else the smallest.
 *
 * @param {import("./pictures.js").Picture} picture
 * @param {number[]} place in pixels of the frame
 * @returns {Drawn | null}
 */
export const objectAt = (picture, [x, y]) => {
  const there = drawnObjects(picture).filter((one) => one.object_id !== null && isWithin(one.shape, x, y));
  return there.reduce((best, one) => (best === null || one.shape.area <= best.shape.area ? one : best), null);
};
