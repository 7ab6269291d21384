/** Swim lanes: one for each object, along the frames. A click seeks and selects, a drag chooses a range. */

import { pause, seek, select, selectGhost, selectRange } from "./actions.js";
import { axisOf, pannedAxis, rowAt, turnedTo, xOf, zoomedAxis } from "./axis.js";
import { byId, el } from "./dom.js";
import { laneBar } from "./lane_bar.js";
import { LANE_HEIGHT } from "./lane_painting.js";
import { lanesOf } from "./lane_order.js";
import { showRows } from "./lane_rows.js";
import { rowOf } from "./lookups.js";
import { paintRuler, RULER_HEIGHT, rowWithin } from "./ruler_painting.js";
import { set, state, subscribe } from "./store.js";

/** Width of the names at the left, as in the style sheet. */
const GUTTER = 148;

/** A press that moves less than this many CSS pixels is a click. */
const CLICK_WITHIN = 4;

const parts = {};
let lanes = [];
let width = 0;

const count = () => state.input.frame_indices.length;
const axis = () => axisOf(state.axis, count(), width);
const isShown = () => state.input !== null && width > 0;

/** Put the lanes in their place. */
export const mountLanes = () => {
  parts.ruler = el("canvas", { testid: "ruler", "aria-label": "Time axis" });
  parts.space = el("div", { class: "lanes-space" });
  parts.empty = el("p", { class: "lanes-empty quiet", text: "No objects here. Press N and draw a box to add one." });
  parts.scroll = el("div", { class: "lanes-scroll", testid: "lanes-scroll" }, parts.space, parts.empty);
  parts.playhead = el("div", { class: "playhead", testid: "playhead" });
  parts.range = el("div", { class: "range", testid: "range" });
  parts.tracks = el("div", { class: "lanes-tracks" }, el("div", { class: "lanes-overlay" }, parts.range, parts.playhead), parts.ruler, parts.scroll);
  byId("lanes").append(laneBar(), parts.tracks);

  new ResizeObserver(resize).observe(parts.scroll);
  parts.scroll.addEventListener("scroll", () => isShown() && showRows(parts.scroll, parts.space, lanes, axis(), false));
  listen();
  subscribe(["input", "sort", "ghosts"], order);
  subscribe(["axis", "selected", "ghost", "hidden", "solo", "job", "run"], paint);
  subscribe(["selected", "ghost"], scrollToSelected);
  subscribe(["frame", "axis", "input", "range"], place);
};

const resize = () => {
  width = Math.max(0, parts.scroll.clientWidth - GUTTER);
  paint();
  place();
};

const order = () => {
  if (state.input === null) return;
  lanes = lanesOf(state.input, state.sort, state.ghosts);
  parts.empty.hidden = lanes.length > 0;
  resize();
};

const paint = () => {
  if (!isShown()) return;
  showRows(parts.scroll, parts.space, lanes, axis(), true);
  const ratio = devicePixelRatio;
  [parts.ruler.width, parts.ruler.height] = [Math.round(width * ratio), Math.round(RULER_HEIGHT * ratio)];
  parts.ruler.style.setProperty("width", `${width}px`);
  const context = parts.ruler.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  paintRuler(context, axis(), state.input, state.job?.input === state.input.name ? [...state.job.masks.keys()] : []);
};

/** Put playhead and range where they belong; the axis turns to a playhead that has left it. */
const place = () => {
  if (!isShown()) return;
  const row = rowOf(state.frame);
  if (state.playing !== 0) set({ axis: turnedTo(state.axis, row, count()) });
  const x = xOf(axis(), row + 0.5);
  parts.playhead.style.setProperty("transform", `translateX(${x}px)`);
  parts.playhead.hidden = x < 0 || x > width;
  parts.range.hidden = state.range === null;
  if (state.range === null) return;
  const [left, right] = [xOf(axis(), rowOf(state.range[0])), xOf(axis(), rowOf(state.range[1]) + 1)];
  parts.range.style.setProperty("left", `${left}px`);
  parts.range.style.setProperty("width", `${Math.max(1, right - left)}px`);
};

const scrollToSelected = () => {
  const key = state.ghost === null ? `${state.selected}` : `rejected-${state.ghost}`;
  const at = lanes.findIndex((lane) => lane.key === key);
  if (at < 0) return;
  const { scrollTop, clientHeight } = parts.scroll;
  if (at * LANE_HEIGHT < scrollTop) parts.scroll.scrollTop = at * LANE_HEIGHT;
  const most = (at + 1) * LANE_HEIGHT - clientHeight;
  if (most > scrollTop) parts.scroll.scrollTop = most;
};

const xWithin = (event) => event.clientX - parts.tracks.getBoundingClientRect().left - GUTTER;

const frameAt = (x) => state.input.frame_indices[rowWithin(axis(), x, count())];

const listen = () => {
  let press = null;
  parts.tracks.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !isShown() || event.offsetX > parts.scroll.clientWidth) return;
    const key = event.target.closest(".lane")?.dataset.key ?? null;
    const isRuler = event.target === parts.ruler;
    const x = xWithin(event);
    if (!isRuler && x < 0) return selectLane(key);
    event.preventDefault();
    document.activeElement?.blur();
    parts.tracks.setPointerCapture(event.pointerId);
    press = { x, key, isRuler, isMoving: false };
    if (isRuler) scrub(x);
  });
  parts.tracks.addEventListener("pointermove", (event) => {
    if (press === null) return;
    const x = xWithin(event);
    if (Math.abs(x - press.x) >= CLICK_WITHIN) press.isMoving = true;
    if (press.isRuler) scrub(x);
    else if (press.isMoving) selectRange([frameAt(press.x), frameAt(x)]);
  });
  parts.tracks.addEventListener("pointerup", () => {
    if (press !== null && !press.isRuler && !press.isMoving) {
      selectLane(press.key);
      scrub(press.x);
    }
    press = null;
  });
  parts.tracks.addEventListener("pointercancel", () => {
    press = null;
  });
  parts.tracks.addEventListener("wheel", turnWheel, { passive: false });
};

const scrub = (x) => {
  pause();
  seek(frameAt(x));
};

const selectLane = (key) => {
  const lane = lanes.find((one) => one.key === key);
  if (lane === undefined) return;
  if (lane.object === null) selectGhost(lane.rejected.index);
  else select(lane.object.object_id);
};

/** The wheel scrolls through the lanes, with a control key it zooms the time axis, sideways it moves along it. */
const turnWheel = (event) => {
  if (!isShown()) return;
  const sideways = event.shiftKey ? event.deltaY : event.deltaX;
  if (event.ctrlKey || event.altKey) {
    event.preventDefault();
    const about = rowAt(axis(), xWithin(event));
    set({ axis: zoomedAxis(state.axis, Math.exp(-event.deltaY * 0.004), about, count()) });
  } else if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) {
    event.preventDefault();
    const { from, to } = axis();
    set({ axis: pannedAxis(state.axis, (sideways / width) * (to - from), count()) });
  }
};
