/** Prompts, the mask that answers them, and the jobs that carry a correction through the video. */

import { get, inputPath, post, remove } from "../api.js";
import { giveBackSeconds, takeSeconds } from "../seconds.js";
import { set, state } from "../store.js";
import { attempt, reloadInput, report, say } from "./loading.js";
import { refreshTriage } from "./triage.js";

/** How often a running job is asked for, in milliseconds. */
const EVERY_MS = 150;

let asking = new AbortController();

const draftHere = () => {
  const frame_index = state.masks.frame_index;
  const { draft, selected } = state;
  const same = draft !== null && draft.frame_index === frame_index && draft.object_id === selected;
  return same ? draft : { object_id: selected, frame_index, points: [], xyxy: null, answer: null };
};

/** @type {(point: import("../store.js").Point) => Promise<void>} add a click, in pixels of the frame */
export const addPoint = (point) => {
  const draft = draftHere();
  set({ draft: { ...draft, points: [...draft.points, point] } });
  return preview();
};

/** @type {(xyxy: number[]) => Promise<void>} set the box, in pixels of the frame */
export const setBox = (xyxy) => {
  set({ draft: { ...draftHere(), xyxy } });
  return preview();
};

/** Take the last click back, or the box when no click is left. */
export const removePoint = () => {
  const { draft } = state;
  if (draft === null) return undefined;
  const left = draft.points.length > 0 ? { points: draft.points.slice(0, -1) } : { xyxy: null };
  const next = { ...draft, ...left };
  if (next.points.length === 0 && next.xyxy === null) return discard();
  set({ draft: next });
  return preview();
};

/** Put the prompts away. */
export const discard = () => {
  asking.abort();
  set({ draft: null });
};

/** Ask for the mask that answers the prompts; only the newest question counts. */
export const preview = async () => {
  asking.abort();
  asking = new AbortController();
  const { draft } = state;
  if (draft === null) return;
  const { object_id, frame_index, points, xyxy } = draft;
  const body = { object_id, frame_index, points, xyxy };
  const { signal } = asking;
  const answer = await attempt(() => post(inputPath(state.input.name, "previews"), body, { signal }));
  if (answer !== null && state.draft === draft) set({ draft: { ...draft, answer } });
};

/** @type {(reach: number) => void} how many frames to either side a correction runs at most */
export const setReach = (reach) => set({ reach });

/** Begin a new object: the next clicks or the next box are its own. */
export const beginObject = () => set({ selected: null, ghost: null, draft: null, tool: "box" });

/** @type {(class_id: number) => void} class of the next new object */
export const setNewClass = (class_id) => set({ new_class: class_id });

/**
 * Carry the prompts through the video: the object is tracked anew around them, or a new one is.
 *
 * @param {number} [reach] frames to either side at most; 0 is this frame alone
 */
export const propagate = async (reach = state.reach) => {
  const { draft } = state;
  if (draft === null) return say("Click on the object or draw a box first.");
  if (draft.object_id === null) return addObject(state.new_class, reach);
  const { object_id, frame_index, points, xyxy } = draft;
  return startJob({ kind: "refine", object_id, frame_index, points, xyxy, reach });
};

/**
 * Make the prompts a new object.
 *
 * @param {number} class_id
 * @param {number} [reach]
 */
export const addObject = (class_id, reach = state.reach) => {
  const { frame_index, points, xyxy } = state.draft;
  return startJob({ kind: "add", class_id, frame_index, points, xyxy, reach });
};

/** @type {(text: string) => Promise<void>} find objects on this frame by a text */
export const find = (text) => startJob({ kind: "find", text, frame_index: state.frame });

/**
 * Take one of the things that were found as the box of a new object.
 *
 * @param {{xyxy: number[]}} one
 */
export const takeFound = ({ xyxy }) => {
  set({ selected: null, ghost: null });
  return setBox(xyxy);
};

/** @type {(format: string) => Promise<void>} write the dataset of the labels as they stand */
export const exportRun = async (format) => {
  const started = await attempt(() => post("/api/jobs", { kind: "export", format }), "Starting the export");
  if (started !== null) return watch(started.job_id, { kind: "export" });
};

const startJob = async (job) => {
  const seconds = takeSeconds();
  const body = { revision: state.input.revision, seconds, job };
  const started = await attempt(() => post(inputPath(state.input.name, "jobs"), body));
  if (started === null) return giveBackSeconds(seconds);
  return watch(started.job_id, job);
};

const watch = async (job_id, asked) => {
  const { frame_index = state.frame } = asked;
  const following = asked.kind === "refine" || asked.kind === "add";
  set({ playing: 0, job: { job_id, ...emptyJob(asked), frame_index, following } });
  for (;;) {
    let answer;
    try {
      answer = await get(`/api/jobs/${job_id}?since=${state.job.masks.size}`);
    } catch (error) {
      set({ job: null });
      return report(error);
    }
    takeIn(answer);
    if (!["waiting", "running"].includes(answer.state)) return finish(answer, asked);
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
};

const emptyJob = ({ kind, object_id = null }) => ({
  kind,
  input: state.input.name,
  object_id,
  state: "waiting",
  done: 0,
  total: 0,
  sentence: null,
  result: null,
  masks: new Map(),
});

const takeIn = (answer) => {
  const masks = new Map(state.job.masks);
  for (const { frame_index, counts } of answer.masks) masks.set(frame_index, counts);
  set({ job: { ...state.job, ...answer, masks } });
  const newest = answer.masks.at(-1);
  if (state.job.following && newest !== undefined && state.input.name === answer.input) set({ frame: newest.frame_index });
};

const finish = async (answer, asked) => {
  const { following, frame_index } = state.job;
  if (following) set({ frame: frame_index });
  if (answer.state === "failed") say(answer.sentence ?? "This did not work.", "error");
  else if (answer.state === "cancelled") say("Cancelled; nothing was changed.");
  else if (asked.kind === "export") set({ dialog: { kind: "exported", format: asked.format, result: answer.result } });
  else if (asked.kind === "find") set({ found: { text: asked.text, frame_index, ...answer.result } });
  else {
    asking.abort();
    set({ draft: null, tool: "select" });
    if (answer.object_id !== null) set({ selected: answer.object_id, ghost: null });
    await attempt(() => Promise.all([reloadInput(), refreshTriage()]));
  }
  set({ job: null });
};

/** Stop the running job; nothing of it is kept. */
export const cancelJob = async () => {
  if (state.job !== null) await attempt(() => remove(`/api/jobs/${state.job.job_id}`));
};
