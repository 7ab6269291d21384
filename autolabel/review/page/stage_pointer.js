/** The pointer on the stage: zoom, pan, pick, click points, draw boxes. */

import { addPoint, select, setBox, takeFound } from "./actions.js";
import { objectAt } from "./stage_objects.js";
import { state, subscribe } from "./store.js";
import { panBy, toFrame, zoomTo } from "./view.js";

/** A press that moves less than this many CSS pixels is a click. */
const CLICK_WITHIN = 4;

/** Boxes with a shorter side, in CSS pixels, are taken for slips. */
const SHORTEST_SIDE = 4;

/**
 * Listen to the pointer.
 *
 * @param {HTMLElement} element of the stage
 * @param {object} stage what `stage.js` knows
 * @param {() => import("./view.js").View} currentView
 * @param {() => void} drawSoon
 */
export const mountPointer = (element, stage, currentView, drawSoon) => {
  let press = null;
  let isSpaceDown = false;

  const placeOf = (event) => {
    const { left, top } = element.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  };
  const inFrame = (place) => {
    const { width, height } = stage.picture.bitmap;
    const [x, y] = toFrame(currentView(), place);
    return [Math.min(Math.max(x, 0), width - 1), Math.min(Math.max(y, 0), height - 1)];
  };
  const boxOf = (from, to) => {
    const [a, b] = [inFrame(from), inFrame(to)];
    return [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])];
  };
  const meaningOf = (event) => {
    if (event.button === 1 || isSpaceDown) return "pan";
    if (state.tool === "point") return event.button === 2 || event.altKey ? "negative" : "positive";
    if (event.button !== 0) return null;
    return state.tool === "box" ? "box" : "pick";
  };
  const showCursor = () => {
    const isPanning = press?.meaning === "pan" || press?.isMoving;
    element.dataset.cursor = isPanning ? "grabbing" : isSpaceDown ? "grab" : state.tool;
  };

  element.addEventListener("pointerdown", (event) => {
    const meaning = stage.picture === null ? null : meaningOf(event);
    if (meaning === null) return;
    event.preventDefault();
    document.activeElement?.blur();
    element.setPointerCapture(event.pointerId);
    press = { meaning, from: placeOf(event), last: placeOf(event), isMoving: false };
    showCursor();
  });

  element.addEventListener("pointermove", (event) => {
    const place = placeOf(event);
    stage.pointer = place;
    if (press === null) {
      hover(place);
    } else {
      drag(place);
    }
    if (state.tool !== "select") drawSoon();
  });

  const hover = (place) => {
    const isPicking = stage.picture !== null && state.tool === "select";
    const found = !isPicking ? null : objectAt(stage.picture, toFrame(currentView(), place));
    const hovered = found?.object_id ?? null;
    if (hovered === stage.hovered) return;
    stage.hovered = hovered;
    element.dataset.over = hovered === null ? "" : "object";
    drawSoon();
  };

  const drag = (place) => {
    const { meaning, from, last } = press;
    press.last = place;
    if (Math.hypot(place[0] - from[0], place[1] - from[1]) >= CLICK_WITHIN) press.isMoving = true;
    if (meaning === "box") {
      stage.box = boxOf(from, place);
      drawSoon();
    } else if (meaning === "pan" || (meaning === "pick" && press.isMoving)) {
      panBy(currentView(), place[0] - last[0], place[1] - last[1]);
    }
    showCursor();
  };

  element.addEventListener("pointerup", (event) => {
    if (press === null) return;
    const { meaning, from, isMoving } = press;
    const place = placeOf(event);
    press = null;
    stage.box = null;
    if (meaning === "box") finishBox(from, place);
    else if (meaning === "pick" && !isMoving) pick(place);
    else if (meaning === "positive" || meaning === "negative") click(place, meaning === "positive");
    showCursor();
    drawSoon();
  });

  const finishBox = (from, to) => {
    const sides = [Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1])];
    if (Math.min(...sides) >= SHORTEST_SIDE) setBox(boxOf(from, to));
  };
  const pick = (place) => {
    const at = toFrame(currentView(), place);
    const found = foundAt(at);
    if (found !== null) takeFound(found);
    else select(objectAt(stage.picture, at)?.object_id ?? null);
  };
  const foundAt = ([x, y]) => {
    if (state.found === null || state.found.frame_index !== stage.picture.frame_index) return null;
    const isAt = ({ xyxy: [left, top, right, bottom] }) => x >= left && x < right && y >= top && y < bottom;
    return state.found.boxes.find(isAt) ?? null;
  };
  const click = (place, positive) => {
    const { width, height } = stage.picture.bitmap;
    const [x, y] = toFrame(currentView(), place);
    if (x >= 0 && y >= 0 && x < width && y < height) addPoint({ x, y, positive });
  };

  element.addEventListener("pointercancel", () => {
    press = null;
    stage.box = null;
    drawSoon();
  });
  element.addEventListener("pointerleave", () => {
    stage.pointer = null;
    stage.hovered = null;
    drawSoon();
  });
  element.addEventListener("contextmenu", (event) => event.preventDefault());
  element.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      if (stage.picture === null) return;
      const view = currentView();
      const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 30 * event.deltaY : event.deltaY;
      zoomTo(view, view.scale * Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.002)), placeOf(event));
    },
    { passive: false },
  );
  for (const [type, isDown] of [["keydown", true], ["keyup", false]]) {
    addEventListener(type, (event) => {
      if (event.key !== " ") return;
      isSpaceDown = isDown;
      showCursor();
    });
  }
  subscribe(["tool"], showCursor);
  showCursor();
};
