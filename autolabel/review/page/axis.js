/** The time axis: rows of frames to CSS pixels and back. A frame's row r takes the room from r to r + 1. */

/** Never fewer rows than this are seen, unless there are no more. */
const FEWEST_ROWS = 16;

/** @typedef {{from: number, to: number, width: number}} Axis rows that are seen, and how wide all of them are drawn */

/** @type {(seen: number[] | null, count: number, width: number) => Axis} */
export const axisOf = (seen, count, width) => {
  const [from, to] = seen ?? [0, count];
  return { from, to, width };
};

/** @type {(axis: Axis, row: number) => number} */
export const xOf = ({ from, to, width }, row) => ((row - from) / (to - from)) * width;

/** @type {(axis: Axis, x: number) => number} */
export const rowAt = ({ from, to, width }, x) => from + (x / width) * (to - from);

/**
 * What is seen after zooming about a row.
 *
 * @param {number[] | null} seen
 * @param {number} factor above 1 zooms in
 * @param {number} about row that stays where it is
 * @param {number} count of all rows
 * @returns {number[] | null} null is all
 */
export const zoomedAxis = (seen, factor, about, count) => {
  const [from, to] = seen ?? [0, count];
  const length = Math.max((to - from) / factor, Math.min(FEWEST_ROWS, count));
  if (length >= count) return null;
  const share = Math.min(Math.max((about - from) / (to - from), 0), 1);
  return placed(about - share * length, length, count);
};

/** @type {(seen: number[] | null, rows: number, count: number) => number[] | null} what is seen after moving along */
export const pannedAxis = (seen, rows, count) => (seen === null ? null : placed(seen[0] + rows, seen[1] - seen[0], count));

const placed = (from, length, count) => {
  const start = Math.min(Math.max(from, 0), count - length);
  return [start, start + length];
};

/** @type {(seen: number[] | null, row: number, count: number) => number[] | null} turns the page to a row that is not seen */
export const turnedTo = (seen, row, count) => {
  if (seen === null || (row >= seen[0] && row + 1 <= seen[1])) return seen;
  const length = seen[1] - seen[0];
  return placed(row < seen[0] ? row + 1 - length * 0.9 : row - length * 0.1, length, count);
};
