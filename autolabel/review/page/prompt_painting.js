/** Painting prompts, the mask that answers them, and what was found by a text. */

import { classOf, objectOf } from "./lookups.js";
import { shapeOf } from "./rle.js";
import { state } from "./store.js";

const POSITIVE = "#0072b2";
const NEGATIVE = "#d55e00";
const DASH = [5, 4];

/**
 * Paint the prompts of a frame and the answer to them.
 *
 * @param {{context: CanvasRenderingContext2D, unit: number}} brush `unit` is a CSS pixel in pixels of the frame
 * @param {import("./pictures.js").Picture} picture
 * @param {object} stage what `stage.js` knows
 */
export const paintDraft = (brush, { frame_index, masks }, stage) => {
  if (stage.box !== null) paintBox(brush, stage.box);
  const { draft } = state;
  if (draft === null || draft.frame_index !== frame_index) return;
  const colour = classOf(objectOf(draft.object_id)?.class_id ?? state.new_class).colour;
  if (draft.answer?.counts) paintAnswer(brush, shapeOf(draft.answer.counts, masks.size_wh[1]), colour);
  if (draft.xyxy !== null && stage.box === null) paintBox(brush, draft.xyxy);
  for (const point of draft.points) paintPoint(brush, point);
};

/**
 * Paint a mask that is not kept yet.
 *
 * @param {{context: CanvasRenderingContext2D, unit: number}} brush
 * @param {import("./rle.js").Shape | null} shape
 * @param {string} colour
 * @param {number} [opacity]
 */
export const paintAnswer = ({ context, unit }, shape, colour, opacity = 0.45) => {
  if (shape === null) return;
  context.globalAlpha = opacity;
  context.fillStyle = colour;
  context.fill(shape.path, "evenodd");
  context.globalAlpha = 1;
  strokeTwice(context, unit, () => context.stroke(shape.path));
};

/** A line that is seen on any ground: white, with dashes of ink on it. */
const strokeTwice = (context, unit, stroke) => {
  context.lineJoin = "round";
  context.lineWidth = 2.5 * unit;
  context.strokeStyle = "#ffffff";
  stroke();
  context.lineWidth = 1.5 * unit;
  context.strokeStyle = "#1c2430";
  context.setLineDash(DASH.map((length) => length * unit));
  stroke();
  context.setLineDash([]);
};

const paintBox = ({ context, unit }, [left, top, right, bottom]) =>
  strokeTwice(context, unit, () => context.strokeRect(left, top, right - left, bottom - top));

const paintPoint = ({ context, unit }, { x, y, positive }) => {
  context.beginPath();
  context.arc(x, y, 7 * unit, 0, 2 * Math.PI);
  context.fillStyle = positive ? POSITIVE : NEGATIVE;
  context.fill();
  context.lineWidth = 2 * unit;
  context.strokeStyle = "#ffffff";
  context.stroke();
  context.beginPath();
  context.moveTo(x - 3.5 * unit, y);
  context.lineTo(x + 3.5 * unit, y);
  if (positive) {
    context.moveTo(x, y - 3.5 * unit);
    context.lineTo(x, y + 3.5 * unit);
  }
  context.stroke();
};

/**
 * Paint what was found by a text, on the frame on which it was looked for.
 *
 * @param {{context: CanvasRenderingContext2D, unit: number}} brush
 * @param {import("./pictures.js").Picture} picture
 */
export const paintFound = (brush, { frame_index, masks }) => {
  if (state.found === null || state.found.frame_index !== frame_index) return;
  const { colour } = classOf(state.new_class);
  for (const { counts, xyxy } of state.found.boxes) {
    if (counts === null) paintBox(brush, xyxy);
    else paintAnswer(brush, shapeOf(counts, masks.size_wh[1]), colour, 0.3);
  }
};
