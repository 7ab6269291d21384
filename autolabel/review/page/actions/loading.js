/** Loading the run and its inputs, and what becomes of things that go wrong. */

import { get, inputPath, Refused } from "../api.js";
import { objectOf } from "../lookups.js";
import { set, state } from "../store.js";
import { reloadTriage } from "./triage.js";

let toastTimer = 0;

/** @type {(sentence: string, kind?: "info" | "error") => void} say something in passing */
export const say = (sentence, kind = "info") => {
  clearTimeout(toastTimer);
  set({ toast: { kind, sentence } });
  toastTimer = setTimeout(() => set({ toast: null }), kind === "error" ? 9000 : 3500);
};

/** Put the toast away. */
export const dismissToast = () => set({ toast: null });

/**
 * Tell the person what went wrong, and do what helps: a stale page loads the labels anew, an unknown one says so.
 *
 * @param {unknown} error
 */
export const report = async (error) => {
  if (error.name === "AbortError") return;
  if (!(error instanceof Refused)) {
    say("The page itself has a fault; load it anew. Every change so far is kept.", "error");
    throw error;
  }
  if (error.status === 401) set({ problem: { kind: "expired", sentence: error.message } });
  else if (error.status === 0) set({ problem: { kind: "offline", sentence: error.message } });
  else say(error.message, "error");
  if (error.status === 409) await reloadInput().catch(report);
};

/**
 * Do something that may be refused; the person is told when it is.
 *
 * @template T
 * @param {() => Promise<T>} fn
 * @param {string | null} [busy] what is waited for, in words
 * @returns {Promise<T | null>} null when it was refused
 */
export const attempt = async (fn, busy = null) => {
  const end = busy === null ? () => {} : beginWaiting(busy);
  try {
    return await fn();
  } catch (error) {
    await report(error);
    return null;
  } finally {
    end();
  }
};

const waitings = new Set();

/** Say that something is waited for; the function that it returns says that it is no more. */
const beginWaiting = (words) => {
  const waiting = { words };
  waitings.add(waiting);
  set({ busy: words });
  return () => {
    waitings.delete(waiting);
    set({ busy: [...waitings].at(-1)?.words ?? null });
  };
};

/** Load the run, then the input that the address names or the first one whose original is where it was. */
export const start = async () => {
  const run = await attempt(() => get("/api/run"), "Opening the run");
  if (run === null) {
    if (state.problem === null) set({ problem: { kind: "failed", sentence: state.toast.sentence } });
    return;
  }
  set({ run });
  document.title = `${run.name} - autolabel review`;
  const wanted = new URLSearchParams(location.hash.slice(1));
  const names = run.inputs.map((input) => input.name);
  const whole = run.inputs.find((input) => input.problem === null)?.name;
  const name = names.includes(wanted.get("input")) ? wanted.get("input") : (whole ?? names[0]);
  if (name === undefined) {
    set({ problem: { kind: "empty", sentence: "No video and no folder of pictures is labelled in it yet." } });
    return;
  }
  await openInput(name, wanted.has("frame") ? Number(wanted.get("frame")) : null);
  await reloadTriage();
};

/**
 * Open an input of the run.
 *
 * @param {string} name
 * @param {number | null} [frame_index] where; its first frame when null
 */
export const openInput = async (name, frame_index = null) => {
  const input = await attempt(() => get(inputPath(name)), `Opening ${name}`);
  if (input === null) return;
  const known = frame_index !== null && input.frame_indices.includes(frame_index);
  set({
    input,
    frame: known ? frame_index : input.frame_indices[0],
    masks: null,
    selected: null,
    ghost: null,
    range: null,
    draft: null,
    found: null,
    hidden: new Set(),
    solo: null,
    view: null,
    axis: null,
    playing: 0,
  });
};

/** Load the open input anew, after its labels changed; what is looked at stays where it still is. */
export const reloadInput = async () => {
  const name = state.input.name;
  const input = await get(inputPath(name));
  if (state.input.name !== name) return;
  set({ input });
  if (state.selected !== null && objectOf(state.selected) === null) set({ selected: null });
  const prompted = state.draft?.object_id ?? null;
  if (prompted !== null && objectOf(prompted) === null) set({ draft: null });
};
