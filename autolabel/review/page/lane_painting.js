/** Painting one lane: thickness is visible area, gaps are absences; marks stand above and below it. */

import { rowOf } from "./lookups.js";
import { rowAt, xOf } from "./axis.js";

/** Height of a lane in CSS pixels. */
export const LANE_HEIGHT = 22;

const MIDDLE = 11;
const THICKEST = 7; // half of it
const INK = "#1c2430";
const ALARM = "#b3261e";
const SHOT = "#c4cad1";
const GROUND = "#dde1e6";

const thicknesses = new WeakMap();

const thicknessOf = (lane) => {
  if (!thicknesses.has(lane)) thicknesses.set(lane, Uint8Array.from(lane.lane, (digit) => parseInt(digit, 16)));
  return thicknesses.get(lane);
};

/**
 * Paint a lane.
 *
 * @param {CanvasRenderingContext2D} context its origin is the lane's corner, its unit a CSS pixel
 * @param {import("./lane_order.js").Lane} lane
 * @param {import("./axis.js").Axis} axis
 * @param {{input: import("./store.js").InputView, colour: string, opacity: number, decided: number[]}} look `decided` are
 *   frames that a running job has decided
 */
export const paintLane = (context, { object, rejected }, axis, { input, colour, opacity, decided }) => {
  context.clearRect(0, 0, axis.width, LANE_HEIGHT);
  context.fillStyle = GROUND;
  context.fillRect(0, MIDDLE, axis.width, 1);
  paintShots(context, axis, input);
  const body = bodyOf(thicknessOf(object ?? rejected), axis, input);
  context.globalAlpha = opacity;
  if (rejected !== null) {
    context.strokeStyle = colour;
    context.setLineDash([3, 2]);
    context.stroke(body);
    context.setLineDash([]);
  } else {
    context.fillStyle = colour;
    context.fill(body);
  }
  context.globalAlpha = 1;
  if (object !== null) paintMarks(context, object, axis);
  context.fillStyle = "#0b5cad";
  for (const frame of decided) fillFrame(context, axis, rowOf(frame), 1, 3);
};

const paintShots = (context, axis, input) => {
  context.fillStyle = SHOT;
  for (const frame of input.shots) {
    const x = Math.round(xOf(axis, rowOf(frame)));
    if (x > 0 && x < axis.width) context.fillRect(x, 0, 1, LANE_HEIGHT);
  }
};

/** The shape of all that is visible, pixel by pixel: the thickest of the columns that fall into one. */
const bodyOf = (digits, axis, input) => {
  const path = new Path2D();
  const perRow = input.columns / input.frame_indices.length;
  const columnAt = (x) => Math.min(Math.floor(rowAt(axis, x) * perRow + 1e-9), digits.length - 1);
  const close = (from, halves) => {
    path.moveTo(from, MIDDLE - halves[0]);
    halves.forEach((half, n) => {
      path.lineTo(from + n, MIDDLE - half);
      path.lineTo(from + n + 1, MIDDLE - half);
    });
    for (let n = halves.length - 1; n >= 0; n--) {
      path.lineTo(from + n + 1, MIDDLE + halves[n]);
      path.lineTo(from + n, MIDDLE + halves[n]);
    }
    path.closePath();
  };
  let halves = [];
  for (let x = 0; x <= axis.width; x++) {
    const digit = x === axis.width ? 0 : thickest(digits, columnAt(x), columnAt(x + 1));
    if (digit > 0) {
      halves.push(1 + (digit / 15) * (THICKEST - 1));
    } else if (halves.length > 0) {
      close(x - halves.length, halves);
      halves = [];
    }
  }
  return path;
};

const thickest = (digits, from, to) => {
  let most = digits[from];
  for (let column = from + 1; column < to; column++) most = Math.max(most, digits[column]);
  return most;
};

const middleOf = (axis, frame) => xOf(axis, rowOf(frame) + 0.5);

const isSeen = (axis, x) => x >= -6 && x <= axis.width + 6;

const fillFrame = (context, axis, row, top, height) => {
  const left = Math.floor(xOf(axis, row));
  context.fillRect(left, top, Math.ceil(xOf(axis, row + 1)) - left, height);
};

const paintMarks = (context, object, axis) => {
  const placed = (frames) => frames.map((frame) => middleOf(axis, frame)).filter((x) => isSeen(axis, x));
  context.fillStyle = "rgb(28 36 48 / 55%)";
  for (const x of placed(object.detections)) context.fillRect(Math.round(x - 0.5), LANE_HEIGHT - 4, 1, 3);
  context.fillStyle = ALARM;
  for (const [first, last] of flaggedRanges(object.flags)) {
    const left = xOf(axis, rowOf(first));
    context.fillRect(left, 1, Math.max(2, xOf(axis, rowOf(last) + 1) - left), 2);
  }
  for (const x of placed(object.doubts.map((doubt) => doubt.frame_index))) paintDoubt(context, x);
  const locked = new Set(object.locked);
  for (const x of placed(object.human.filter((frame) => !locked.has(frame)))) paintHuman(context, x);
  for (const x of placed(object.locked)) paintLocked(context, x);
};

/** First and last frames that a flag such as "drifted: 13-24" names. */
const flaggedRanges = (flags) =>
  flags.map((flag) => /: (\d+)-(\d+)$/.exec(flag)).filter(Boolean).map(([, first, last]) => [Number(first), Number(last)]);

const paintDoubt = (context, x) => {
  context.beginPath();
  context.moveTo(x - 4, 0.5);
  context.lineTo(x + 4, 0.5);
  context.lineTo(x, 6.5);
  context.fill();
};

const paintHuman = (context, x) => {
  context.beginPath();
  context.arc(x, MIDDLE, 3.5, 0, 2 * Math.PI);
  paintWhite(context);
};

const paintLocked = (context, x) => {
  context.beginPath();
  context.moveTo(x, MIDDLE - 5);
  context.lineTo(x + 5, MIDDLE);
  context.lineTo(x, MIDDLE + 5);
  context.lineTo(x - 5, MIDDLE);
  context.closePath();
  paintWhite(context);
};

const paintWhite = (context) => {
  context.fillStyle = "#ffffff";
  context.fill();
  context.strokeStyle = INK;
  context.lineWidth = 1.5;
  context.stroke();
};

