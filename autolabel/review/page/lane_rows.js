/** The rows of the lanes that are in view; others have no elements. */

import { el } from "./dom.js";
import { LANE_HEIGHT, paintLane } from "./lane_painting.js";
import { classOf, nameOf } from "./lookups.js";
import { state } from "./store.js";

/** So many rows above and below the view are kept ready. */
const SPARE = 4;

/** @type {Map<string, Record<"element" | "canvas" | "name" | "mark" | "swatch", HTMLElement>>} */
const rows = new Map();

/**
 * Show the lanes that are in view, and paint them.
 *
 * @param {HTMLElement} scroll what scrolls
 * @param {HTMLElement} space what has the height of all lanes
 * @param {import("./lane_order.js").Lane[]} lanes
 * @param {import("./axis.js").Axis} axis
 * @param {boolean} isAnew whether rows that are there already are painted anew
 */
export const showRows = (scroll, space, lanes, axis, isAnew) => {
  space.style.setProperty("height", `${lanes.length * LANE_HEIGHT}px`);
  const first = Math.max(0, Math.floor(scroll.scrollTop / LANE_HEIGHT) - SPARE);
  const last = Math.min(lanes.length, Math.ceil((scroll.scrollTop + scroll.clientHeight) / LANE_HEIGHT) + SPARE);
  const needed = new Set(lanes.slice(first, last).map((lane) => lane.key));
  for (const [key, row] of rows) {
    if (needed.has(key)) continue;
    row.element.remove();
    rows.delete(key);
  }
  for (let at = first; at < last; at++) {
    const lane = lanes[at];
    const isNew = !rows.has(lane.key);
    if (isNew) rows.set(lane.key, newRow(space, lane.key));
    if (isNew || isAnew) fillRow(rows.get(lane.key), lane, at, axis);
  }
};

const newRow = (space, key) => {
  const name = el("span", { class: "cut stretch" });
  const swatch = el("span", { class: "swatch" });
  const mark = el("span", { class: "lane-mark" });
  const canvas = el("canvas");
  const label = el("div", { class: "lane-label" }, swatch, name, mark);
  const element = el("div", { class: "lane", testid: `lane-${key}`, "data-key": key }, label, canvas);
  space.append(element);
  return { element, canvas, name, mark, swatch };
};

const fillRow = (row, { object, rejected }, at, axis) => {
  const one = object ?? rejected;
  const { name, colour } = classOf(one.class_id);
  const isSelected = object === null ? state.ghost === rejected.index : state.selected === object.object_id;
  const isHidden = object !== null && (state.solo === null ? state.hidden.has(object.object_id) : state.solo !== object.object_id);
  row.element.style.setProperty("top", `${at * LANE_HEIGHT}px`);
  row.element.classList.toggle("selected", isSelected);
  row.element.classList.toggle("faint", isHidden || object === null);
  row.element.ariaLabel = object === null ? `${name}, rejected` : nameOf(object);
  row.swatch.style.setProperty("background", colour);
  row.name.textContent = object === null ? name : nameOf(object);
  row.element.title = object === null ? `${name}, rejected: ${rejected.reason}` : wordsOf(object);
  fillMark(row.mark, object, rejected);
  const decided = object !== null && state.job?.object_id === object.object_id ? [...state.job.masks.keys()] : [];
  const context = fitted(row.canvas, axis.width);
  paintLane(context, { object, rejected }, axis, { input: state.input, colour, opacity: isHidden ? 0.3 : 0.85, decided });
};

const wordsOf = (object) => {
  const { score, visible, first, last, doubts, accepted } = object;
  return [
    nameOf(object),
    `Score ${score.toFixed(2)}; visible on ${visible} frames from ${first} to ${last}${accepted ? "; accepted" : ""}`,
    ...doubts.map((doubt) => `${doubt.reason}: ${doubt.words}`),
  ].join("\n");
};

/** A tick stands for what a person has confirmed, a number for doubt in per cent. */
const fillMark = (mark, object, rejected) => {
  const isSettled = object?.accepted ?? rejected.dismissed;
  const isDoubtful = !isSettled && object !== null && object.doubt > 0;
  mark.textContent = isSettled ? "✓" : isDoubtful ? `${Math.round(100 * object.doubt)}` : "";
  mark.className = `lane-mark ${isSettled ? "good" : isDoubtful && object.doubt >= 0.5 ? "alarming" : ""}`;
};

const fitted = (canvas, width) => {
  const ratio = devicePixelRatio;
  const size = [Math.round(width * ratio), Math.round(LANE_HEIGHT * ratio)];
  if (canvas.width !== size[0] || canvas.height !== size[1]) {
    [canvas.width, canvas.height] = size;
    canvas.style.setProperty("width", `${width}px`);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
};
