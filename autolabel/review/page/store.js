/** The one state of the page, and who wants to know of its changes. */

/**
 * @typedef {{class_id: number, name: string, colour: string}} ClassView
 * @typedef {{reason: string, strength: number, frame_index: number, words: string}} DoubtView
 * @typedef {{object_id: number, class_id: number, score: number, margin: number | null, flags: string[],
 *   accepted: boolean, first: number, last: number, visible: number, doubt: number, doubts: DoubtView[],
 *   lane: string, detections: number[], human: number[], locked: number[]}} ObjectView
 * @typedef {{index: number, class_id: number, score: number, reason: string, first: number, last: number,
 *   frame_index: number, restored: boolean,
 *   dismissed: boolean, lane: string}} RejectedView
 * @typedef {{name: string, kind: "video" | "images", fps: number | null, revision: number, undo: string | null,
 *   redo: string | null, frame_indices: number[], sizes_wh: number[][], pts_s: number[] | null,
 *   file_names: string[] | null, states: string, keyframes: number[], shots: number[], exhaustive: number[][],
 *   columns: number, objects: ObjectView[], rejected: RejectedView[], lost_edits: number}} InputView
 * @typedef {{object_id: number, class_id: number, counts: string, xyxy: number[], source: string,
 *   locked: boolean}} MaskView
 * @typedef {{frame_index: number, revision: number, size_wh: number[], objects: MaskView[]}} MasksView
 * @typedef {{x: number, y: number, positive: boolean}} Point
 * @typedef {{counts: string | null, xyxy: number[] | null}} Answer
 * @typedef {{object_id: number | null, frame_index: number, points: Point[], xyxy: number[] | null,
 *   answer: Answer | null}} Draft
 */

/** What the page knows; read it anywhere, change it by `set` alone. */
export const state = {
  /** @type {{name: string, classes: ClassView[], inputs: object[], tracker: string | null, detector: string | null,
   *   formats: string[]} | null} the run */
  run: null,
  /** @type {InputView | null} the input that lies open */
  input: null,
  /** @type {number | null} the frame_index that was asked for last; the playhead is here */
  frame: null,
  /** @type {MasksView | null} the masks of the frame that the stage shows, which `masks.frame_index` names */
  masks: null,
  /** @type {string | null} why the frame that was asked for cannot be shown */
  frame_problem: null,
  /** @type {number | null} object_id of the object that keys and inspector mean */
  selected: null,
  /** @type {number | null} index of the rejected masklet that is looked at in place of an object */
  ghost: null,
  /** @type {number[] | null} first and last frame_index of the chosen range */
  range: null,
  /** @type {"select" | "point" | "box"} */
  tool: "select",
  /** @type {Draft | null} prompts that are not propagated yet; object_id null is a new object */
  draft: null,
  /** @type {number} class of the next new object */
  new_class: 0,
  /** @type {{text: string, frame_index: number, boxes: {xyxy: number[], score: number, counts: string | null}[]} | null}
   *   what was found by a text, the surest first */
  found: null,
  /** @type {{job_id: string, kind: string, input: string | null, object_id: number | null, state: string,
   *   done: number, total: number, sentence: string | null, masks: Map<number, string | null>, frame_index: number,
   *   following: boolean, result: object | null} | null} the job that runs; `masks` in the order of being decided */
  job: null,
  /** @type {object[]} items in the order to work through */
  queue: [],
  /** @type {string | null} key of the queue's item that is being worked on */
  queue_at: null,
  /** @type {{reviewed: number, total: number, seconds: number, precision: object | null} | null} */
  progress: null,
  /** @type {Set<number>} object_ids that are not drawn */
  hidden: new Set(),
  /** @type {number | null} the only object_id that is drawn */
  solo: null,
  /** @type {"fill" | "outline" | "none"} how masks are drawn */
  style: "fill",
  /** @type {{scale: number, x: number, y: number} | null} CSS pixels an image pixel, and where its corner is; null fits */
  view: null,
  /** @type {-1 | 0 | 1} direction of playing */
  playing: 0,
  /** @type {number} times the video's own speed; Infinity is as fast as it goes */
  speed: 1,
  /** @type {"doubt" | "class" | "start"} order of the lanes */
  sort: "doubt",
  /** @type {number[] | null} first row of the time axis that is seen, and the one after the last; null is all */
  axis: null,
  /** @type {boolean} whether rejected masklets have lanes too */
  ghosts: false,
  /** @type {number} frames to either side that a correction runs at most */
  reach: 100,
  /** @type {{kind: "help" | "class" | "merge" | "find" | "export" | "exported", [more: string]: unknown} | null} */
  dialog: null,
  /** @type {{kind: "info" | "error", sentence: string} | null} */
  toast: null,
  /** @type {string | null} what is waited for, in words */
  busy: null,
  /** @type {{kind: "expired" | "offline" | "failed" | "empty", sentence: string} | null} why the page cannot go on */
  problem: null,
  /** @type {number} other tabs on this run */
  others: 0,
};

/** @typedef {Partial<typeof state>} Partial */

const subscriptions = new Set();
const changed = new Set();
let due = false;

/**
 * Change the state; who subscribed to a changed key is told once in the next animation frame.
 *
 * @param {Partial} partial new values; objects are replaced, never changed in place
 */
export const set = (partial) => {
  for (const [key, value] of Object.entries(partial)) {
    if (!(key in state)) throw new Error(`the state has no ${key}`);
    if (Object.is(state[key], value)) continue;
    state[key] = value;
    changed.add(key);
  }
  if (changed.size > 0 && !due) {
    due = true;
    requestAnimationFrame(tell);
  }
};

/**
 * Be told of changes, in the animation frame after them.
 *
 * @param {(keyof typeof state)[]} keys
 * @param {() => void} fn
 * @returns {() => void} ends the subscription
 */
export const subscribe = (keys, fn) => {
  const entry = { keys, fn };
  subscriptions.add(entry);
  return () => subscriptions.delete(entry);
};

const tell = () => {
  due = false;
  const now = new Set(changed);
  changed.clear();
  for (const { keys, fn } of [...subscriptions]) if (keys.some((key) => now.has(key))) fn();
};
