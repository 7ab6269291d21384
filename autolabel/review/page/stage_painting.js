/** Painting the stage: the frame, masks, prompts and names. */

import { nameOf } from "./lookups.js";
import { paintGhost } from "./ghost.js";
import { paintDraft, paintFound } from "./prompt_painting.js";
import { drawnObjects } from "./stage_objects.js";
import { state } from "./store.js";

const BACKGROUND = "#e9ecef";
const CASING = "rgb(255 255 255 / 60%)";
const FRAME_EDGE = "rgb(28 36 48 / 18%)";

/** From this many CSS pixels a frame's pixel on, its pixels are shown as squares. */
const SQUARES_FROM = 2;

/**
 * Paint everything anew.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {object} stage what `stage.js` knows
 * @param {import("./view.js").View} view
 */
export const paint = (context, stage, view) => {
  const ratio = devicePixelRatio;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.fillStyle = BACKGROUND;
  context.fillRect(0, 0, ...stage.size);
  const { picture } = stage;
  if (picture === null || state.masks === null) return;
  context.setTransform(ratio * view.scale, 0, 0, ratio * view.scale, ratio * view.x, ratio * view.y);
  const brush = { context, unit: 1 / view.scale };
  paintFrame(brush, picture.bitmap, view.scale);
  const objects = drawnObjects(picture);
  const isCalm = state.selected !== null && objects.some((one) => one.object_id === state.selected);
  for (const one of objects) paintObject(brush, one, emphasisOf(one, stage.hovered, isCalm, picture));
  paintGhost(brush, picture);
  paintFound(brush, picture);
  paintDraft(brush, picture, stage);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  paintNames(context, stage, view, objects);
  if (state.tool !== "select" && stage.pointer !== null) paintCrosshair(context, stage);
};

const paintFrame = ({ context, unit }, bitmap, scale) => {
  context.imageSmoothingEnabled = scale < SQUARES_FROM;
  context.imageSmoothingQuality = "medium";
  context.drawImage(bitmap, 0, 0);
  context.strokeStyle = FRAME_EDGE;
  context.lineWidth = unit;
  context.strokeRect(-unit / 2, -unit / 2, bitmap.width + unit, bitmap.height + unit);
};

const hasAnswer = ({ object_id }, { frame_index }) =>
  state.draft !== null &&
  state.draft.object_id === object_id &&
  state.draft.frame_index === frame_index &&
  Boolean(state.draft.answer?.counts);

const emphasisOf = (one, hovered, isCalm, picture) => {
  if (one.object_id === state.selected && hasAnswer(one, picture)) return "replaced";
  if (one.isNew || one.object_id === state.selected) return "selected";
  if (one.object_id === hovered) return "hovered";
  return isCalm ? "calm" : "plain";
};

const LOOKS = {
  plain: { fill: 0.38, line: 1.25, halo: 0 },
  calm: { fill: 0.22, line: 1, halo: 0 },
  hovered: { fill: 0.52, line: 1.75, halo: 0 },
  selected: { fill: 0.5, line: 2, halo: 5 },
  replaced: { fill: 0, line: 1, halo: 0, dash: [3, 3] },
};

/**
 * Lines of one pixel of the screen take a small part of the time that wider ones take, so that outlines are thin and
 * without casing while the video plays.
 */
const paintObject = ({ context, unit }, { shape, colour }, emphasis) => {
  const { fill, line, halo, dash = [] } = LOOKS[emphasis];
  const isOutline = state.style !== "fill";
  const isThin = state.playing !== 0 && halo === 0;
  context.lineJoin = "miter";
  if (fill > 0 && !isOutline) {
    context.globalAlpha = fill;
    context.fillStyle = colour;
    context.fill(shape.path, "evenodd");
    context.globalAlpha = 1;
  }
  if (!isThin) {
    context.strokeStyle = halo > 0 ? "#ffffff" : CASING;
    context.lineWidth = (halo || line + 1.5) * unit;
    context.stroke(shape.path);
  }
  context.setLineDash(dash.map((length) => length * unit));
  context.strokeStyle = colour;
  context.lineWidth = isThin ? unit / devicePixelRatio : (isOutline ? line + 0.5 : line) * unit;
  context.stroke(shape.path);
  context.setLineDash([]);
};

const paintNames = (context, stage, view, objects) => {
  const named = objects.filter((one) => one.object_id === stage.hovered || one.object_id === state.selected);
  for (const one of named) {
    if (one.object_id === null) continue;
    const [left, top] = one.shape.xyxy;
    const place = [view.x + view.scale * left, view.y + view.scale * top];
    paintChip(context, stage.size, place, one.colour, `${nameOf(one)}${one.locked ? " · locked" : ""}`);
  }
};

const paintChip = (context, size, [x, y], colour, text) => {
  context.font = "600 12px system-ui, sans-serif";
  const width = Math.ceil(context.measureText(text).width) + 28;
  const left = Math.min(Math.max(x, 4), size[0] - width - 4);
  const top = Math.min(Math.max(y - 28, 4), size[1] - 26);
  context.fillStyle = "rgb(28 36 48 / 88%)";
  context.beginPath();
  context.roundRect(left, top, width, 22, 5);
  context.fill();
  context.fillStyle = colour;
  context.strokeStyle = "rgb(255 255 255 / 70%)";
  context.lineWidth = 1;
  context.beginPath();
  context.roundRect(left + 7.5, top + 6.5, 9, 9, 2.5);
  context.fill();
  context.stroke();
  context.fillStyle = "#ffffff";
  context.textBaseline = "middle";
  context.fillText(text, left + 22, top + 11.5);
};

const paintCrosshair = (context, { pointer: [x, y], size }) => {
  context.beginPath();
  for (const [fromX, fromY, toX, toY] of [
    [0, y, x - 8, y],
    [x + 8, y, size[0], y],
    [x, 0, x, y - 8],
    [x, y + 8, x, size[1]],
  ]) {
    context.moveTo(Math.round(fromX) + 0.5, Math.round(fromY) + 0.5);
    context.lineTo(Math.round(toX) + 0.5, Math.round(toY) + 0.5);
  }
  context.lineWidth = 1;
  context.strokeStyle = "rgb(255 255 255 / 60%)";
  context.setLineDash([4, 4]);
  context.stroke();
  context.lineDashOffset = 4;
  context.strokeStyle = "rgb(28 36 48 / 60%)";
  context.stroke();
  context.lineDashOffset = 0;
  context.setLineDash([]);
};
