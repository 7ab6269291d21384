/** The bar under the stage: moving through time, and what is said of this frame or of the chosen range. */

import * as actions from "../actions.js";
import { byId, el, refill } from "../dom.js";
import { isStills, rowOf } from "../lookups.js";
import { state, subscribe } from "../store.js";
import { button, choice } from "./parts.js";

const STATES = { l: [], e: ["nothing found"], h: ["by a person"] };

/** Put it in its place. */
export const mountTransport = () => {
  const draw = () => refill(byId("transport"), state.input === null ? [] : content());
  subscribe(["input", "frame", "playing", "speed", "range"], draw);
  draw();
};

const content = () => [
  el("div", { class: "group" }, ...moves()),
  ...(isStills() ? [] : [speedChoice()]),
  frameNumber(),
  el("span", { class: "stretch small quiet cut", testid: "frame-state", text: words(), title: words() }),
  ...marks(),
];

const moves = () => {
  const single = [
    ["first", "⇤", actions.goFirst, "First frame"],
    ["back", "‹", () => actions.step(-1), "One frame back"],
    ["on", "›", () => actions.step(1), "One frame on"],
    ["last", "⇥", actions.goLast, "Last frame"],
  ].map(([name, text, run, key]) => button(name, text, run, { key, title: key }));
  if (isStills()) return single;
  const [first, back, on, last] = single;
  const keyframe = (direction) =>
    button(direction > 0 ? "next-keyframe" : "former-keyframe", direction > 0 ? "»" : "«", () => actions.goKeyframe(direction), {
      key: direction > 0 ? "Next keyframe" : "Keyframe before",
      title: direction > 0 ? "Next keyframe" : "Keyframe before",
    });
  const play = (direction) => {
    const isPlaying = state.playing === direction;
    return button(direction > 0 ? "play" : "play-backward", isPlaying ? "❚❚" : direction > 0 ? "▶" : "◀", () => actions.togglePlay(direction), {
      key: direction > 0 ? "Play or" : "Play backward",
      title: direction > 0 ? "Play" : "Play backward",
      pressed: isPlaying,
    });
  };
  return [first, keyframe(-1), back, play(-1), play(1), on, keyframe(1), last];
};

const speedChoice = () =>
  choice(
    "speed",
    "Speed",
    actions.SPEEDS.map((speed) => [String(speed), speed === Infinity ? "max" : `${speed}×`]),
    String(state.speed),
    (value) => actions.setSpeed(Number(value)),
  );

const frameNumber = () =>
  el("input", {
    class: "frame-number",
    testid: "frame-number",
    "aria-label": "Frame",
    title: "Frame; type a number to go there",
    inputmode: "numeric",
    value: String(state.frame),
    on: {
      change: (event) => {
        const wanted = Number.parseInt(event.target.value, 10);
        if (Number.isNaN(wanted)) event.target.value = String(state.frame);
        else actions.seek(wanted);
        event.target.blur();
      },
    },
  });

const words = () => {
  const { frame_indices, pts_s, states, keyframes, file_names } = state.input;
  const row = rowOf(state.frame);
  const parts = [`of ${frame_indices.at(-1)}`];
  if (pts_s !== null) parts.push(`${pts_s[row].toFixed(2)} s`);
  if (file_names !== null) parts.push(file_names[row]);
  if (!isStills() && keyframes.includes(state.frame)) parts.push("keyframe");
  parts.push(...STATES[states[row]]);
  if (state.range !== null) parts.unshift(`range ${state.range[0]} to ${state.range[1]}`);
  return parts.join(" · ");
};

const marks = () => {
  const where = state.range === null ? "this frame" : "the range";
  const [first, last] = state.range ?? [state.frame, state.frame];
  const isExhaustive = state.input.exhaustive.some(([from, to]) => from <= first && last <= to);
  return [
    button("mark-empty", "Empty", actions.markEmpty, { key: "Mark this frame or the range empty", title: `Nothing is on ${where}`, class: "plain" }),
    button("mark-exhaustive", "All labelled", actions.markExhaustive, {
      key: "Mark this frame or the range fully",
      title: isExhaustive ? `A person said so: everything on ${where} is labelled, and rightly` : `Everything on ${where} is labelled, and rightly`,
      class: "plain",
      pressed: isExhaustive,
    }),
  ];
};
