/** Which frame is shown when: the newest one asked for, and while playing the next one that is due and here. */

import { report } from "./actions/loading.js";
import { rowOf } from "./lookups.js";
import { fetchPicture, isHere, roomAhead, takePicture } from "./pictures.js";
import { set, state, subscribe } from "./store.js";

const MOST_FLIGHTS = 3;
const AHEAD_PLAYING = 16;
const AHEAD_RESTING = 2;

/** Above this many frames a second, frames are left out when playing faster than the video's own speed. */
const MOST_PER_SECOND = 30;

/** Frames a second of what has no speed of its own. */
const STILLS_PER_SECOND = 2;

/** A frame that takes longer than this is no longer waited for when another one is asked for. */
const PATIENCE_MS = 250;

/** @type {Map<number, {controller: AbortController, since: number}>} frames that are being fetched */
const flights = new Map();

/**
 * The frame that was asked for when nothing else was on its way. It is shown when it comes, and only then the newest
 * one is fetched: so that scrubbing shows frames all along, and the server is not given work that nobody waits for.
 */
let pursued = null;

let wanted = [];

/** Name of the input whose frames are wanted; another one may be open until its frames are planned. */
let plannedFor = null;
let shown = null;
let showPicture = () => {};

/**
 * Begin to serve frames.
 *
 * @param {(picture: import("./pictures.js").Picture) => void} show what shows a frame, together with its masks
 */
export const mountPlayer = (show) => {
  showPicture = show;
  subscribe(["frame", "input"], follow);
  subscribe(["problem"], () => state.problem === null && follow());
  subscribe(["playing"], () => state.playing !== 0 && startPlaying());
};

const follow = () => {
  if (state.input === null) return;
  plan();
  if (isHere(state.frame)) showFrame(state.frame);
};

/** Decide which frames are wanted, and fetch them; others that are on their way are given up. */
const plan = () => {
  wanted = [state.frame, ...framesAhead()];
  plannedFor = state.input.name;
  if (pursued === null || !flights.has(pursued)) pursued = state.frame;
  for (const [frame, { controller, since }] of flights) {
    const isLate = performance.now() - since > PATIENCE_MS;
    if (!wanted.includes(frame) && (frame !== pursued || isLate)) controller.abort();
  }
  pump();
};

const framesAhead = () => {
  const { frame_indices } = state.input;
  const row = rowOf(state.frame);
  const direction = state.playing || 1;
  const count = Math.min(state.playing === 0 ? AHEAD_RESTING : AHEAD_PLAYING, roomAhead());
  const rows = Array.from({ length: count }, (_, n) => row + direction * stride() * (n + 1));
  if (state.playing === 0) rows.push(row - 1);
  const within = rows.map((one) => Math.min(Math.max(one, 0), frame_indices.length - 1));
  return [...new Set(within)].map((one) => frame_indices[one]);
};

const perSecond = () => (state.input.fps ?? STILLS_PER_SECOND) * state.speed;

const stride = () => {
  if (state.playing === 0 || state.speed <= 1 || state.speed === Infinity) return 1;
  return Math.max(1, Math.round(perSecond() / MOST_PER_SECOND));
};

const pump = () => {
  if (plannedFor !== state.input.name || (pursued !== state.frame && flights.has(pursued))) return;
  for (const frame of wanted) {
    if (flights.size >= MOST_FLIGHTS) return;
    if (!flights.has(frame) && !isHere(frame)) launch(frame);
  }
};

const launch = async (frame) => {
  const controller = new AbortController();
  const { name } = state.input;
  const flight = { controller, since: performance.now() };
  flights.set(frame, flight);
  let problem = null;
  try {
    await fetchPicture(frame, controller.signal);
  } catch (error) {
    problem = error;
  }
  if (flights.get(frame) === flight) flights.delete(frame);
  if (state.input.name === name) {
    if (problem !== null) giveUp(frame, problem);
    else arrive(frame);
  }
  if (frame === pursued) pursued = state.frame;
  pump();
};

const giveUp = (frame, problem) => {
  if (problem.name === "AbortError") return;
  wanted = wanted.filter((other) => other !== frame);
  if (frame !== state.frame) return;
  set({ frame_problem: problem.message, playing: 0 });
  if (problem.status !== 404 && problem.status !== 422) report(problem);
};

const arrive = (frame) => {
  const isPursued = frame === pursued;
  if (!isHere(frame) || state.playing !== 0) return;
  if (frame === state.frame || (isPursued && !isHere(state.frame))) showFrame(frame);
};

const showFrame = (frame) => {
  const picture = takePicture(frame);
  if (picture.bitmap === shown?.bitmap && picture.masks === shown.masks) return;
  shown = picture;
  set({ masks: picture.masks, frame_problem: picture.problem });
  showPicture(picture);
};

let run = 0;

const startPlaying = () => {
  run += 1;
  const mine = run;
  let last = performance.now();
  let owed = 0;
  const tick = (now) => {
    if (mine !== run || state.playing === 0) return;
    const pace = state.speed === Infinity ? 1 : (perSecond() * (now - last)) / 1000;
    last = now;
    owed = Math.min(owed + pace, Math.max(1, pace) + stride());
    if (owed >= stride()) owed -= advance(state.speed === Infinity ? 1 : Math.floor(owed));
    requestAnimationFrame(tick);
  };
  plan();
  requestAnimationFrame(tick);
};

/** Show the next frame if it is here; returns by how many frames the video went on. */
const advance = (due) => {
  const { frame_indices } = state.input;
  const row = rowOf(state.frame);
  const end = state.playing > 0 ? frame_indices.length - 1 : 0;
  if (row === end) {
    set({ playing: 0 });
    return 0;
  }
  for (let n = due - (due % stride()); n > 0; n -= stride()) {
    const next = Math.min(Math.max(row + state.playing * n, 0), frame_indices.length - 1);
    if (!isHere(frame_indices[next])) continue;
    set({ frame: frame_indices[next] });
    showFrame(frame_indices[next]);
    return n;
  }
  return 0;
};
