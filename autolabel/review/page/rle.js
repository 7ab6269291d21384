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
const decodeRuns = (counts) => {
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
 * Stretches of a mask's pixels within one column each.
 *
 * @param {number[]} runs
 * @param {number} height of the frame
 * @returns {number[]} column, first row and the one after the last of each stretch, all in one list
 */
const stretchesOf = (runs, height) => {
  const stretches = [];
  let start = 0;
  for (let at = 0; at < runs.length; at++) {
    const end = start + runs[at];
    while (at % 2 === 1 && start < end) {
      const column = Math.floor(start / height);
      const to = Math.min(end, (column + 1) * height);
      stretches.push(column, start - column * height, to - column * height);
      start = to;
    }
    start = end;
  }
  return stretches;
};

/**
 * The smallest part of the frame that holds a mask, with one empty pixel around it.
 *
 * @param {number[]} stretches at least one
 * @returns {{left: number, top: number, width: number, height: number, area: number, pixels: Uint8Array,
 *   tops: number[]}} `pixels` lie along the columns, `tops` are those that have no other one above
 */
const cropOf = (stretches) => {
  let [top, bottom, area] = [Infinity, 0, 0];
  for (let at = 0; at < stretches.length; at += 3) {
    top = Math.min(top, stretches[at + 1]);
    bottom = Math.max(bottom, stretches[at + 2]);
    area += stretches[at + 2] - stretches[at + 1];
  }
  const left = stretches[0];
  const crop = { left: left - 1, top: top - 1, width: stretches.at(-3) - left + 3, height: bottom - top + 2, area };
  const pixels = new Uint8Array(crop.width * crop.height);
  const tops = [];
  for (let at = 0; at < stretches.length; at += 3) {
    const corner = (stretches[at] - crop.left) * crop.height - crop.top;
    pixels.fill(1, corner + stretches[at + 1], corner + stretches[at + 2]);
    tops.push(corner + stretches[at + 1]);
  }
  return { ...crop, pixels, tops };
};

const boxOf = ({ left, top, width, height }) => [left + 1, top + 1, left + width - 1, top + height - 1];

/**
 * The outline along the pixels' edges, holes included: walked with the mask at the right hand until it closes.
 *
 * A place is the pixel to the lower right of where the walk stands; ways are 0 right, 1 down, 2 left, 3 up. Pixels whose
 * upper edge was walked along become 2, for every outline has such an edge and must be walked once.
 */
const outlineOf = ({ left, top, height, pixels, tops }) => {
  const path = new Path2D();
  const steps = [height, 1, -height, -1];
  const aheadLeft = [-1, 0, -height, -height - 1];
  const aheadRight = [0, -height, -height - 1, -1];
  let corners = 0;
  for (const first of tops) {
    if (pixels[first] === 2 || pixels[first - 1] !== 0) continue;
    let place = first;
    let way = 0;
    let isBegun = false;
    do {
      if (way === 0) pixels[place] = 2;
      place += steps[way];
      const turn = pixels[place + aheadRight[way]] === 0 ? 1 : pixels[place + aheadLeft[way]] !== 0 ? 3 : 0;
      if (turn === 0) continue;
      const column = Math.floor(place / height);
      const [x, y] = [left + column, top + place - column * height];
      if (isBegun) path.lineTo(x, y);
      else path.moveTo(x, y);
      isBegun = true;
      corners += 1;
      way = (way + turn) % 4;
    } while (place !== first || way !== 0);
    path.closePath();
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
  const stretches = stretchesOf(decodeRuns(counts), height);
  let shape = null;
  let corners = 0;
  if (stretches.length > 0) {
    const crop = cropOf(stretches);
    const outline = outlineOf(crop);
    corners = outline.corners;
    shape = { path: outline.path, area: crop.area, xyxy: boxOf(crop) };
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
