/** Frames and their masks as the server has them, the ones used lately kept within a cap. */

import { get, getBlob, inputPath, Refused } from "./api.js";
import { problemOf, sizeOf } from "./lookups.js";
import { Lru } from "./lru.js";
import { state } from "./store.js";

const CAP_BYTES = 256e6;
const MOST_MASKS = 2000;

/**
 * @typedef {{frame_index: number, bitmap: ImageBitmap, masks: import("./store.js").MasksView,
 *   problem: string | null}} Picture `problem` says why there is nothing to be seen but masks
 */

/** @type {WeakMap<ImageBitmap, string>} why a frame is blank */
const problems = new WeakMap();

/** The frame that is shown; it stays usable until another one takes its place, though the cache may let go of it. */
let shown = { key: null, bitmap: null };
const bitmaps = new Lru(CAP_BYTES, (bitmap) => {
  if (bitmap !== shown.bitmap) bitmap.close();
});
const masksOf = new Lru(MOST_MASKS);

const keyOf = (frame_index) => `${state.input.name}/${frame_index}`;

const isCurrent = (masks) => masks !== undefined && masks.revision >= state.input.revision;

/** @type {() => number} how many frames of the open input may be fetched ahead, so that none pushes out another */
export const roomAhead = () => {
  const largest = Math.max(...state.input.sizes_wh.map(([width, height]) => 4 * width * height));
  return Math.floor(CAP_BYTES / largest / 2);
};

/** @type {(frame_index: number) => boolean} whether a frame and its masks as they stand are here */
export const isHere = (frame_index) =>
  bitmaps.peek(keyOf(frame_index)) !== undefined && isCurrent(masksOf.peek(keyOf(frame_index)));

/**
 * A frame that is here, to be shown now; the one that was shown before may go.
 *
 * @param {number} frame_index
 * @returns {Picture}
 */
export const takePicture = (frame_index) => {
  const key = keyOf(frame_index);
  const bitmap = bitmaps.get(key);
  if (shown.bitmap !== bitmap && bitmaps.peek(shown.key) !== shown.bitmap) shown.bitmap?.close();
  shown = { key, bitmap };
  return { frame_index, bitmap, masks: masksOf.get(key), problem: problems.get(bitmap) ?? null };
};

/**
 * Fetch what is not here yet of a frame.
 *
 * @param {number} frame_index
 * @param {AbortSignal} signal
 */
export const fetchPicture = async (frame_index, signal) => {
  const key = keyOf(frame_index);
  const path = inputPath(state.input.name, "frames", frame_index);
  await Promise.all([fetchBitmap(key, `${path}/image`, frame_index, signal), fetchMasks(key, `${path}/masks`, signal)]);
};

const fetchBitmap = async (key, path, frame_index, signal) => {
  if (bitmaps.peek(key) !== undefined) return;
  const bitmap = await decoded(path, signal).catch((error) => blank(error, sizeOf(frame_index)));
  bitmaps.set(key, bitmap, 4 * bitmap.width * bitmap.height);
};

const decoded = async (path, signal) => {
  const problem = problemOf(state.input.name);
  if (problem !== null) throw new Refused(422, problem);
  return createImageBitmap(await getBlob(path, { signal }));
};

/** What is shown where the original has gone or cannot be read: the masks alone. */
const blank = async (error, [width, height]) => {
  if (!(error instanceof Refused) || ![404, 422].includes(error.status)) throw error;
  const bitmap = await createImageBitmap(new ImageData(width, height));
  problems.set(bitmap, error.message);
  return bitmap;
};

const fetchMasks = async (key, path, signal) => {
  if (!isCurrent(masksOf.peek(key))) masksOf.set(key, await get(path, { signal }), 1);
};
