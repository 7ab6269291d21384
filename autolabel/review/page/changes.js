/** Where an object changes its state, as far as its lane tells. */

/**
 * Stretches of columns of a lane on which the object is visible.
 *
 * @param {string} lane hexadecimal digits, 0 where it is absent
 * @returns {[number, number][]} first column and the one after the last
 */
export const stretchesOf = (lane) => {
  const stretches = [];
  for (const match of lane.matchAll(/[^0]+/g)) stretches.push([match.index, match.index + match[0].length]);
  return stretches;
};

/** @type {(column: number, input: import("./store.js").InputView) => number} the first row that falls into a column */
const rowOfColumn = (column, input) => Math.ceil((column * input.frame_indices.length) / input.columns);

/** @type {(lane: string, row: number, input: import("./store.js").InputView) => boolean} whether a row's column is not empty */
export const isOnLane = (lane, row, input) => lane[Math.floor((row * input.columns) / input.frame_indices.length)] !== "0";

/**
 * Frames on which an object appears, is no more, or was decided upon by a person.
 *
 * @param {{lane: string, human?: number[], locked?: number[]}} object
 * @param {import("./store.js").InputView} input
 * @returns {number[]} frame_indices
 */
export const changesOf = (object, input) => {
  const edges = stretchesOf(object.lane).flat().map((column) => rowOfColumn(column, input));
  const frames = edges.filter((row) => row < input.frame_indices.length).map((row) => input.frame_indices[row]);
  return [...new Set([...frames, ...(object.human ?? []), ...(object.locked ?? [])])];
};
