/** Where the frame is on the stage: pixels of the frame to CSS pixels and back. */

import { set, state } from "./store.js";

/** @typedef {{scale: number, x: number, y: number}} View CSS pixels a frame's pixel, and where its corner is */

const MARGIN = 10;
const LARGEST = 64;
const SMALLEST = 0.02;

/** @type {(frame: number[], stage: number[]) => View} the view that shows a whole frame of this size in the middle */
const fittingView = ([width, height], [stageWidth, stageHeight]) => {
  const room = [Math.max(1, stageWidth - 2 * MARGIN), Math.max(1, stageHeight - 2 * MARGIN)];
  const scale = Math.min(room[0] / width, room[1] / height);
  return { scale, x: (stageWidth - scale * width) / 2, y: (stageHeight - scale * height) / 2 };
};

/** @type {(view: View, scale: number, at: number[]) => void} zoom; what is at this place of the stage stays there */
export const zoomTo = (view, scale, [x, y]) => {
  const next = Math.min(Math.max(scale, SMALLEST), LARGEST);
  const factor = next / view.scale;
  set({ view: { scale: next, x: x - factor * (x - view.x), y: y - factor * (y - view.y) } });
};

/** @type {(view: View, dx: number, dy: number) => void} move the frame by CSS pixels */
export const panBy = (view, dx, dy) => set({ view: { ...view, x: view.x + dx, y: view.y + dy } });

/** @type {(view: View, at: number[]) => number[]} the place of the frame that is at a place of the stage */
export const toFrame = (view, [x, y]) => [(x - view.x) / view.scale, (y - view.y) / view.scale];

/** @type {(frame: number[], stage: number[]) => View} the view that is meant by the state */
export const viewOf = (frame, stage) => state.view ?? fittingView(frame, stage);
