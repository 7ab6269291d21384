/** Painting the ruler above the lanes: frame numbers, keyframes, shots, and what was said of whole frames. */

import { rowOf } from "./lookups.js";
import { rowAt, xOf } from "./axis.js";

/** Height of the ruler in CSS pixels. */
export const RULER_HEIGHT = 30;

const STRIP_TOP = 22;
const STRIP_HEIGHT = 5;
const LABEL_ROOM = 64;
const KEYFRAME_ROOM = 3;
const QUIET = "#66707d";
const STATES = { e: "#b9c0c8", h: "#7fb0de" };
const EXHAUSTIVE = "#0a7a4b";
const ACCENT = "#0b5cad";

/**
 * Paint the ruler.
 *
 * @param {CanvasRenderingContext2D} context its unit is a CSS pixel
 * @param {import("./axis.js").Axis} axis
 * @param {import("./store.js").InputView} input
 * @param {number[]} decided frames that a running job has decided
 */
export const paintRuler = (context, axis, input, decided) => {
  context.clearRect(0, 0, axis.width, RULER_HEIGHT);
  paintNumbers(context, axis, input);
  paintStates(context, axis, input);
  paintKeyframes(context, axis, input);
  context.fillStyle = EXHAUSTIVE;
  for (const [first, last] of input.exhaustive) fillRows(context, axis, rowOf(first), rowOf(last) + 1, STRIP_TOP, STRIP_HEIGHT);
  for (const frame of input.shots) paintShot(context, axis, rowOf(frame));
  context.fillStyle = ACCENT;
  for (const frame of decided) fillRows(context, axis, rowOf(frame), rowOf(frame) + 1, RULER_HEIGHT - 3, 3);
};

const fillRows = (context, axis, from, to, top, height) => {
  const left = Math.max(0, Math.floor(xOf(axis, from)));
  const right = Math.min(axis.width, Math.ceil(xOf(axis, to)));
  if (right > left) context.fillRect(left, top, right - left, height);
};

const paintNumbers = (context, axis, input) => {
  const perRow = axis.width / (axis.to - axis.from);
  const every = niceStep(LABEL_ROOM / perRow);
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "alphabetic";
  for (let row = Math.ceil(axis.from / every) * every; row < axis.to; row += every) {
    const x = xOf(axis, row + 0.5);
    const label = `${input.frame_indices[row]}`;
    context.fillStyle = "#cfd5db";
    context.fillRect(Math.round(x - 0.5), 2, 1, 14);
    context.fillStyle = QUIET;
    if (x + 4 + context.measureText(label).width < axis.width) context.fillText(label, Math.round(x) + 4, 12);
  }
};

/** A tick for each keyframe, where there is room to tell them apart. */
const paintKeyframes = (context, axis, { keyframes, frame_indices }) => {
  const spacing = (axis.width * frame_indices.length) / (keyframes.length * (axis.to - axis.from));
  if (spacing < KEYFRAME_ROOM) return;
  context.fillStyle = QUIET;
  for (const frame of keyframes) {
    const x = xOf(axis, rowOf(frame) + 0.5);
    if (x >= 0 && x <= axis.width) context.fillRect(Math.round(x - 0.5), 18, 1, 3);
  }
};

/** The smallest of 1, 2, 5, 10, 20, ... that is not below a number. */
const niceStep = (least) => {
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1)));
  return [1, 2, 5, 10].map((digit) => digit * power).find((step) => step >= least);
};

/** A stretch of frames in one state at a time, and no more of them than there are pixels. */
const paintStates = (context, axis, { states }) => {
  context.fillStyle = "#eef0f3";
  context.fillRect(0, STRIP_TOP, axis.width, STRIP_HEIGHT);
  const first = Math.max(0, Math.floor(axis.from));
  const last = Math.min(states.length, Math.ceil(axis.to));
  for (let from = first; from < last; ) {
    let to = from + 1;
    while (to < last && states[to] === states[from]) to += 1;
    if (STATES[states[from]] !== undefined) {
      context.fillStyle = STATES[states[from]];
      fillRows(context, axis, from, to, STRIP_TOP, STRIP_HEIGHT);
    }
    from = to;
  }
};

const paintShot = (context, axis, row) => {
  const x = Math.round(xOf(axis, row));
  if (row === 0 || x < 0 || x > axis.width) return;
  context.fillStyle = "#98a1ab";
  context.fillRect(x, 0, 1, RULER_HEIGHT);
  context.beginPath();
  context.moveTo(x - 4, 0);
  context.lineTo(x + 5, 0);
  context.lineTo(x + 0.5, 5);
  context.fill();
};

/** @type {(axis: import("./axis.js").Axis, x: number, count: number) => number} row at a place, within the frames */
export const rowWithin = (axis, x, count) => Math.min(Math.max(Math.floor(rowAt(axis, x)), 0), count - 1);
