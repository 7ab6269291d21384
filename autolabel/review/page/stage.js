/**
 * The stage: the frame and its masks, drawn together in one canvas.
 *
 * `data-frame`, `data-scale`, `data-left` and `data-top` of the element say what is shown where: a frame's place (x, y) is
 * at (left + scale x, top + scale y) in CSS pixels from the stage's corner.
 */

import { byId, el } from "./dom.js";
import { mountGhost } from "./ghost.js";
import { mountPlayer } from "./player.js";
import { paint } from "./stage_painting.js";
import { mountPointer } from "./stage_pointer.js";
import { mountNotice } from "./stage_notice.js";
import { subscribe } from "./store.js";
import { viewOf, zoomTo } from "./view.js";

const DRAWN = [
  "masks", "view", "selected", "ghost", "hidden", "solo", "style", "draft", "job", "found", "tool", "input", "run",
  "playing",
];

/** What the stage knows beside the state. */
const stage = {
  /** @type {import("./pictures.js").Picture | null} what is shown */
  picture: null,
  /** width and height in CSS pixels */
  size: [0, 0],
  /** @type {number | null} the object under the pointer */
  hovered: null,
  /** @type {number[] | null} where the pointer is, in CSS pixels */
  pointer: null,
  /** @type {number[] | null} the box that is being drawn, in pixels of the frame */
  box: null,
};

/** Put the stage in its place. */
export const mountStage = () => {
  const element = byId("stage");
  const canvas = el("canvas", { testid: "stage-canvas", "aria-label": "The frame with its masks" });
  element.append(canvas);
  const context = canvas.getContext("2d", { alpha: false });
  let due = null;

  const draw = () => {
    cancelAnimationFrame(due);
    due = null;
    paint(context, stage, currentView());
    tellPlace(element);
  };
  const drawSoon = () => {
    due ??= requestAnimationFrame(draw);
  };
  new ResizeObserver(() => {
    stage.size = [element.clientWidth, element.clientHeight];
    const ratio = devicePixelRatio;
    [canvas.width, canvas.height] = stage.size.map((length) => Math.max(1, Math.round(length * ratio)));
    canvas.style.setProperty("width", `${stage.size[0]}px`);
    canvas.style.setProperty("height", `${stage.size[1]}px`);
    draw();
  }).observe(element);

  subscribe(DRAWN, draw);
  mountPlayer((picture) => {
    stage.picture = picture;
    drawSoon();
  });
  mountPointer(element, stage, currentView, drawSoon);
  mountGhost(drawSoon);
  mountNotice(element);
  addEventListener("stage-zoom", ({ detail: { factor, actual } }) => {
    if (stage.picture === null) return;
    const view = currentView();
    zoomTo(view, actual ? 1 / devicePixelRatio : view.scale * factor, [stage.size[0] / 2, stage.size[1] / 2]);
  });
};

const currentView = () => {
  const { bitmap } = stage.picture ?? {};
  return viewOf(bitmap ? [bitmap.width, bitmap.height] : [1, 1], stage.size);
};

const tellPlace = (element) => {
  if (stage.picture === null) return;
  const { scale, x, y } = currentView();
  Object.assign(element.dataset, { frame: stage.picture.frame_index, scale, left: x, top: y });
  document.body.dataset.ready = "true";
};
