/** The rejected masklet that is looked at: its mask on the shown frame. */

import { report } from "./actions/loading.js";
import { get, inputPath } from "./api.js";
import { isOnLane } from "./changes.js";
import { classOf, rejectedOf, rowOf } from "./lookups.js";
import { paintAnswer } from "./prompt_painting.js";
import { shapeOf } from "./rle.js";
import { state, subscribe } from "./store.js";

let known = { key: null, counts: null };
let asking = new AbortController();

const keyNow = () =>
  state.ghost === null || state.masks === null ? null : `${state.input.name}/${state.ghost}/${state.masks.frame_index}`;

/** @type {(drawSoon: () => void) => void} begin to fetch masks of the rejected masklet that is looked at */
export const mountGhost = (drawSoon) => {
  subscribe(["ghost", "masks"], async () => {
    const key = keyNow();
    if (key === known.key) return;
    asking.abort();
    known = { key, counts: null };
    if (key === null) return;
    asking = new AbortController();
    const counts = await fetchCounts(asking.signal);
    if (key !== keyNow()) return;
    known = { key, counts };
    drawSoon();
  });
};

const fetchCounts = async (signal) => {
  const rejected = rejectedOf(state.ghost);
  const { frame_index } = state.masks;
  if (rejected === null || !isOnLane(rejected.lane, rowOf(frame_index), state.input)) return null;
  try {
    const path = inputPath(state.input.name, "rejected", state.ghost, "frames", frame_index, "mask");
    return (await get(path, { signal })).counts;
  } catch (error) {
    if (error.status !== 404) await report(error);
    return null;
  }
};

/**
 * Paint the rejected masklet that is looked at.
 *
 * @param {{context: CanvasRenderingContext2D, unit: number}} brush
 * @param {import("./pictures.js").Picture} picture
 */
export const paintGhost = (brush, { masks }) => {
  const rejected = rejectedOf(state.ghost);
  if (rejected === null || known.key !== keyNow() || known.counts === null) return;
  paintAnswer(brush, shapeOf(known.counts, masks.size_wh[1]), classOf(rejected.class_id).colour, 0.3);
};
