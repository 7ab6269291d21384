/** Jobs: what the server's models do in the background, watched until it is done. */

import { get, inputPath, post, remove } from "../api.js";
import { giveBackSeconds, takeSeconds } from "../seconds.js";
import { set, state } from "../store.js";
import { attempt, reloadInput, report, say } from "./loading.js";
import { discard } from "./prompting.js";
import { refreshTriage } from "./triage.js";

/** How often a running job is asked for, in milliseconds. */
const EVERY_MS = 150;

const ENDED = ["done", "failed", "cancelled"];

/** Jobs that are or were watched by this tab. */
const watched = new Set();
let isStarting = false;

/** @type {(reach: number) => void} how many frames to either side a correction runs at most */
export const setReach = (reach) => set({ reach });

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
  return startInputJob({ kind: "refine", object_id, frame_index, points, xyxy, reach });
};

/**
 * Make the prompts a new object.
 *
 * @param {number} class_id
 * @param {number} [reach] frames to either side at most
 */
export const addObject = async (class_id, reach = state.reach) => {
  if (state.draft === null) return say("Click on the object or draw a box first.");
  const { frame_index, points, xyxy } = state.draft;
  return startInputJob({ kind: "add", class_id, frame_index, points, xyxy, reach });
};

/**
 * Find objects on this frame by a text; a text that names a class makes it the class of new objects.
 *
 * @param {string} text
 */
export const find = (text) => {
  const named = state.run.classes.find(({ name }) => name.toLowerCase() === text.trim().toLowerCase());
  set({ found: null, new_class: named?.class_id ?? state.new_class });
  return startInputJob({ kind: "find", text, frame_index: state.frame });
};

/** @type {(format: string) => Promise<void>} write the dataset of the labels as they stand */
export const exportRun = (format) => start({ kind: "export", format }, (job) => post("/api/jobs", job));

const startInputJob = async (asked) => {
  const seconds = takeSeconds();
  const { name, revision } = state.input;
  const started = await start(asked, (job) => post(inputPath(name, "jobs"), { revision, seconds, job }));
  if (started === null) giveBackSeconds(seconds);
};

const start = async (asked, send) => {
  if (state.job !== null) {
    say("Something is running already; wait for it or cancel it.");
    return null;
  }
  isStarting = true;
  const started = await attempt(() => send(asked));
  isStarting = false;
  if (started !== null) await watch(started.job_id, asked);
  return started;
};

/** @type {(job_id: string) => Promise<void>} watch a job that this tab did not start, or started before it was loaded anew */
export const attachJob = async (job_id) => {
  if (isStarting || state.job !== null || watched.has(job_id)) return;
  const answer = await get(`/api/jobs/${job_id}?since=0`);
  if (!isStarting && state.job === null && !ENDED.includes(answer.state)) await watch(job_id, { kind: answer.kind });
};

const watch = async (job_id, asked) => {
  watched.add(job_id);
  const frame_index = asked.frame_index ?? state.frame;
  const following = asked.frame_index !== undefined && asked.kind !== "find";
  set({ playing: 0, job: { job_id, kind: asked.kind, frame_index, following, ...NOTHING_YET } });
  for (;;) {
    let answer;
    try {
      answer = await get(`/api/jobs/${job_id}?since=${state.job.masks.size}`);
    } catch (error) {
      set({ job: null });
      return report(error);
    }
    takeIn(answer);
    if (ENDED.includes(answer.state)) return finish(answer, asked);
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
};

const NOTHING_YET = {
  input: null,
  object_id: null,
  state: "waiting",
  done: 0,
  total: 0,
  sentence: null,
  result: null,
  masks: new Map(),
};

/** Take in what a job did since it was asked last; the stage goes along unless the person went elsewhere. */
const takeIn = (answer) => {
  const masks = new Map(state.job.masks);
  for (const { frame_index, counts } of answer.masks) masks.set(frame_index, counts);
  set({ job: { ...state.job, ...answer, masks } });
  const newest = answer.masks.at(-1);
  if (state.job.following && newest !== undefined && state.input.name === answer.input) set({ frame: newest.frame_index });
};

const finish = async (answer, asked) => {
  const { following, frame_index } = state.job;
  if (following && state.input.name === answer.input) set({ frame: frame_index });
  if (answer.state === "failed") say(answer.sentence ?? "This did not work.", "error");
  else if (answer.state === "cancelled") say("Cancelled; nothing was changed.");
  else if (answer.kind === "export") set({ dialog: { kind: "exported", format: asked.format, result: answer.result } });
  else if (answer.kind === "find") showFound(asked, answer.result.boxes, frame_index);
  else await takeOver(answer);
  set({ job: null });
};

const showFound = ({ text = "" }, boxes, frame_index) => {
  set({ found: { text, frame_index, boxes }, tool: "select" });
  if (boxes.length === 0) say(`Nothing like "${text}" was found on this frame.`);
};

/** Show the labels that a correction resulted in. */
const takeOver = async ({ input, object_id }) => {
  if (input === state.input.name) {
    discard();
    set({ tool: "select" });
    await attempt(reloadInput);
    if (object_id !== null) set({ selected: object_id, ghost: null });
  }
  await attempt(refreshTriage);
};

/** Stop the running job; nothing of it is kept. */
export const cancelJob = async () => {
  if (state.job !== null) await attempt(() => remove(`/api/jobs/${state.job.job_id}`));
};
