/** Masks: COCO's compressed run lengths become exact shapes that stay crisp at any zoom. */

import { Lru } from "./lru.js";

const CAP_BYTES = 64e6;
const shapes = new Lru(CAP_BYTES);

/**
 * Run lengths of a mask, along its columns, the first one of pixels that are not part of it.
 *
 * Each number has five bits a character, the lowest first, a bit that says whether more follow, and its sign in the
 * last one; from the fourth on, numbers are differences to the one two before (pycocotools, maskApi.c, `rleFrString`).
 *
 * @param {string} counts
 * @returns {number[]}
 */
export const decodeRuns = (counts) => {
  const runs = [];
  for (let at = 0; at < counts.length; ) {
    let value = 0;
    let shift = 0;
    let code = 0;
    do {
      code = counts.charCodeAt(at++) - 48;
      value |= (code & 31) << shift;
      shift += 5;
    } while (code & 32);
    if (code & 16 && shift < 32) value |= -1 << shift;
    runs.push(runs.length > 2 ? value + runs[runs.length - 2] : value);
  }
  return runs;
};

/**
 * @typedef {{left: number, top: number, width: number, height: number, pixels: Uint8Array, area: number}} Crop the
 *   smallest part of the frame that holds a mask, with one empty pixel around it; `pixels` lie along the columns
 */

/** @type {(runs: number[], height: number) => Crop | null} null when there is no pixel */
const cropOf = (runs, height) => {
  let [first, last, top, bottom, area] = [Infinity, -1, height, -1, 0];
  eachStretch(runs, height, (column, from, to) => {
    first = Math.min(first, column);
    last = column;
    top = Math.min(top, from);
    bottom = Math.max(bottom, to);
    area += to - from;
  });
  if (last < 0) return null;
  const crop = { left: first - 1, top: top - 1, width: last - first + 3, height: bottom - top + 2, area };
  const pixels = new Uint8Array(crop.width * crop.height);
  eachStretch(runs, height, (column, from, to) => {
    const start = (column - crop.left) * crop.height - crop.top;
    pixels.fill(1, start + from, start + to);
  });
  return { ...crop, pixels };
};

/** Every stretch of a mask's pixels within one column: the column, its first row, and the one after its last. */
const eachStretch = (runs, height, fn) => {
  let start = 0;
  runs.forEach((length, at) => {
    const end = start + length;
    while (at % 2 === 1 && start < end) {
      const column = Math.floor(start / height);
      const to = Math.min(end, (column + 1) * height);
      fn(column, start - column * height, to - column * height);
      start = to;
    }
    start = end;
  });
};

const STEPS = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
];

/** For each way of walking along pixel edges: where the pixels ahead to the left and to the right are. */
const AHEAD = [
  [[0, -1], [0, 0]],
  [[0, 0], [-1, 0]],
  [[-1, 0], [-1, -1]],
  [[-1, -1], [0, -1]],
];

/** The outline along the pixels' edges, holes included: walked with the mask at the right hand until it closes. */
const outlineOf = ({ left, top, width, height, pixels }) => {
  const path = new Path2D();
  const seen = new Uint8Array(pixels.length);
  let corners = 0;
  const walk = (startX, startY) => {
    let [x, y, way] = [startX, startY, 0];
    path.moveTo(x + left, y + top);
    do {
      if (way === 0) seen[x * height + y] = 1;
      x += STEPS[way][0];
      y += STEPS[way][1];
      const [[leftX, leftY], [rightX, rightY]] = AHEAD[way];
      const turn = !pixels[(x + rightX) * height + y + rightY] ? 1 : pixels[(x + leftX) * height + y + leftY] ? 3 : 0;
      if (turn !== 0) {
        path.lineTo(x + left, y + top);
        corners += 1;
        way = (way + turn) % 4;
      }
    } while (x !== startX || y !== startY || way !== 0);
    path.closePath();
  };
  for (let x = 1; x < width - 1; x++) {
    for (let at = x * height + 1; at < (x + 1) * height; at++) {
      if (pixels[at] && !pixels[at - 1] && !seen[at]) walk(x, at - x * height);
    }
  }
  return { path, corners };
};

/**
 * @typedef {{path: Path2D, area: number, xyxy: number[]}} Shape a mask's outline in pixels of the frame, the number of
 *   its pixels, and its box
 */

/**
 * The shape of a mask; what was asked for lately is kept.
 *
 * @param {string} counts COCO's compressed run lengths
 * @param {number} height of the frame in pixels
 * @returns {Shape | null} null when the mask has no pixel
 */
export const shapeOf = (counts, height) => {
  const key = `${height} ${counts}`;
  const known = shapes.get(key);
  if (known !== undefined) return known;
  const crop = cropOf(decodeRuns(counts), height);
  let shape = null;
  let corners = 0;
  if (crop !== null) {
    const outline = outlineOf(crop);
    corners = outline.corners;
    const { left, top, area } = crop;
    shape = { path: outline.path, area, xyxy: [left + 1, top + 1, left + crop.width - 1, top + crop.height - 1] };
  }
  shapes.set(key, shape, 200 + 2 * key.length + 24 * corners);
  return shape;
};

const probe = document.createElement("canvas").getContext("2d");

/** @type {(shape: Shape, x: number, y: number) => boolean} whether a place of the frame is within a mask */
export const isWithin = (shape, x, y) => {
  const [left, top, right, bottom] = shape.xyxy;
  return x >= left && x < right && y >= top && y < bottom && probe.isPointInPath(shape.path, x, y, "evenodd");
};
