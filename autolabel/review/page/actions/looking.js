/** Moving through frames and objects: nothing here changes labels. */

import { zoomedAxis } from "../axis.js";
import { changesOf } from "../changes.js";
import { lanesOf } from "../lane_order.js";
import { objectOf, rejectedOf, rowOf, selectedObject } from "../lookups.js";
import { set, state } from "../store.js";
import { say } from "./loading.js";

/** Speeds of playing that one chooses among. */
export const SPEEDS = [0.25, 0.5, 1, 2, 4, Infinity];

/** @type {(frame_index: number) => void} show a frame: the nearest one of the input at or before it */
export const seek = (frame_index) => {
  if (state.input === null) return;
  set({ frame: state.input.frame_indices[rowOf(frame_index)] });
  if (state.job?.following) set({ job: { ...state.job, following: false } });
};

/** @type {(n: number) => void} go n frames on, or back */
export const step = (n) => {
  if (state.input === null) return;
  const last = state.input.frame_indices.length - 1;
  pause();
  seek(state.input.frame_indices[Math.min(Math.max(rowOf(state.frame) + n, 0), last)]);
};

/** Go to the first frame. */
export const goFirst = () => step(-Infinity);

/** Go to the last frame. */
export const goLast = () => step(Infinity);

const goAmong = (frames, direction) => {
  const ahead = frames.filter((frame) => (direction > 0 ? frame > state.frame : frame < state.frame));
  if (ahead.length === 0) return;
  pause();
  seek(direction > 0 ? Math.min(...ahead) : Math.max(...ahead));
};

/** @type {(direction: 1 | -1) => void} go to the next keyframe, or the one before */
export const goKeyframe = (direction) => goAmong(state.input?.keyframes ?? [], direction);

/** @type {(direction: 1 | -1) => void} go to where the selected object appears, vanishes or was decided upon next */
export const goChange = (direction) => {
  const object = selectedObject() ?? rejectedOf(state.ghost);
  if (object !== null) goAmong(changesOf(object, state.input), direction);
};

/** @type {(direction?: -1 | 1) => void} play, from the other end when at the end */
export const play = (direction = 1) => {
  if (state.input === null || state.input.frame_indices.length < 2) return;
  const { frame_indices } = state.input;
  const [end, start] = direction > 0 ? [frame_indices.at(-1), frame_indices[0]] : [frame_indices[0], frame_indices.at(-1)];
  if (state.frame === end) seek(start);
  set({ playing: direction });
};

/** Stop playing. */
export const pause = () => set({ playing: 0 });

/** @type {(direction?: -1 | 1) => void} */
export const togglePlay = (direction = 1) => (state.playing === direction ? pause() : play(direction));

/** @type {(speed: number) => void} times the video's own speed; Infinity is as fast as it goes */
export const setSpeed = (speed) => set({ speed });

/** @type {(n: number) => void} the next faster or slower speed */
export const changeSpeed = (n) => {
  const at = SPEEDS.indexOf(state.speed) + n;
  set({ speed: SPEEDS[Math.min(Math.max(at, 0), SPEEDS.length - 1)] });
};

/** @type {(object_id: number | null) => void} select an object; prompts for another one are put away */
export const select = (object_id) => {
  const draft = state.draft !== null && state.draft.object_id !== object_id ? null : state.draft;
  set({ selected: object_id, ghost: null, draft });
};

/** @type {(index: number | null) => void} look at a rejected masklet */
export const selectGhost = (index) => set({ ghost: index, selected: null, draft: null });

/** @type {(n: 1 | -1) => void} select the next object in the order of the lanes that is on this frame */
export const selectNext = (n) => {
  const onFrame = new Set((state.masks?.objects ?? []).map((mask) => mask.object_id));
  const lanes = state.input === null ? [] : lanesOf(state.input, state.sort, false);
  const there = lanes.map((lane) => lane.object.object_id).filter((object_id) => onFrame.has(object_id));
  if (there.length === 0) return;
  const at = there.indexOf(state.selected);
  const next = at < 0 ? (n > 0 ? 0 : there.length - 1) : (at + n + there.length) % there.length;
  select(there[next]);
};

/** Put away, one at a time: the dialog, the prompts, what was found, the tool, the range, the selection. */
export const escape = () => {
  if (state.dialog !== null) set({ dialog: null });
  else if (state.draft !== null) set({ draft: null });
  else if (state.found !== null) set({ found: null });
  else if (state.tool !== "select") set({ tool: "select" });
  else if (state.range !== null) set({ range: null });
  else set({ selected: null, ghost: null, solo: null });
};

/** @type {(tool: "select" | "point" | "box") => void} */
export const setTool = (tool) => {
  set({ tool });
  if (tool !== "select") pause();
};

/** @type {(range: number[] | null) => void} first and last frame_index, in either order */
export const selectRange = (range) => set({ range: range && [Math.min(...range), Math.max(...range)] });

/** Make the chosen range begin at this frame. */
export const beginRange = () => selectRange([state.frame, Math.max(state.frame, state.range?.[1] ?? state.frame)]);

/** Make the chosen range end at this frame. */
export const endRange = () => selectRange([Math.min(state.frame, state.range?.[0] ?? state.frame), state.frame]);

/** @type {(object_id?: number | null) => void} hide an object, or show it again */
export const toggleHidden = (object_id = state.selected) => {
  if (object_id === null) return;
  const hidden = new Set(state.hidden);
  if (!hidden.delete(object_id)) hidden.add(object_id);
  set({ hidden });
};

/** @type {(object_id?: number | null) => void} show this object alone, or all again */
export const toggleSolo = (object_id = state.selected) => set({ solo: state.solo === object_id ? null : object_id });

/** Show all objects. */
export const showAll = () => set({ hidden: new Set(), solo: null });

/** Draw masks in the next of the ways. */
export const nextStyle = () => {
  const styles = ["fill", "outline", "none"];
  set({ style: styles[(styles.indexOf(state.style) + 1) % styles.length] });
};

/** Fit the frame into the stage. */
export const fit = () => set({ view: null });

/** @type {(factor: number) => void} zoom about the middle of the stage */
export const zoomBy = (factor) => dispatchEvent(new CustomEvent("stage-zoom", { detail: { factor } }));

/** One pixel of the frame becomes one of the screen. */
export const zoomActual = () => dispatchEvent(new CustomEvent("stage-zoom", { detail: { actual: true } }));

/** @type {(factor: number) => void} zoom the time axis about this frame */
export const zoomAxis = (factor) => {
  if (state.input !== null) set({ axis: zoomedAxis(state.axis, factor, rowOf(state.frame) + 0.5, state.input.frame_indices.length) });
};

/** Show the whole time axis. */
export const fitAxis = () => set({ axis: null });

/** @type {(sort: "doubt" | "class" | "start") => void} order of the lanes */
export const setSort = (sort) => set({ sort });

/** Show the rejected masklets' lanes, or leave them out. */
export const toggleGhosts = () => set({ ghosts: !state.ghosts });

/** Dialogs about the selected object. */
const OF_SELECTED = ["class", "merge"];

/** @type {(kind: string, more?: object) => void} */
export const openDialog = (kind, more = {}) => {
  if (OF_SELECTED.includes(kind) && selectedObject() === null) return say("Select an object first.");
  return set({ dialog: { kind, ...more } });
};

/** Close the dialog. */
export const closeDialog = () => set({ dialog: null });

/** Show what keys there are, or put the sheet away. */
export const toggleHelp = () => set({ dialog: state.dialog?.kind === "help" ? null : { kind: "help" } });

/** Bring the selected object into view: the first frame on which it is, unless it is on this one. */
export const goToSelected = () => {
  const object = objectOf(state.selected) ?? rejectedOf(state.ghost);
  if (object !== null && (state.frame < object.first || state.frame > object.last)) seek(object.first);
};
