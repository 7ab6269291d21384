/** Which lanes there are, from top to bottom. */

/**
 * @typedef {{key: string, object: import("./store.js").ObjectView | null,
 *   rejected: import("./store.js").RejectedView | null}} Lane one of the two is there
 */

const ORDERS = {
  doubt: (a, b) => a.accepted - b.accepted || b.doubt - a.doubt || a.score - b.score,
  class: (a, b) => a.class_id - b.class_id || a.first - b.first,
  start: (a, b) => a.first - b.first || a.last - b.last,
};

/**
 * @param {import("./store.js").InputView} input
 * @param {"doubt" | "class" | "start"} sort
 * @param {boolean} ghosts whether rejected masklets have lanes, after all others
 * @returns {Lane[]}
 */
export const lanesOf = (input, sort, ghosts) => {
  const objects = [...input.objects].sort((a, b) => ORDERS[sort](a, b) || a.object_id - b.object_id);
  const rejected = ghosts ? input.rejected.filter((one) => !one.restored) : [];
  return [
    ...objects.map((object) => ({ key: `${object.object_id}`, object, rejected: null })),
    ...rejected.map((one) => ({ key: `rejected-${one.index}`, object: null, rejected: one })),
  ];
};
