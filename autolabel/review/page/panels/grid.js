/** The stills of a folder as a grid of small pictures, each with how many objects it has and how doubtful they are. */

import * as actions from "../actions.js";
import { inputPath } from "../api.js";
import { byId, el, refill } from "../dom.js";
import { isStills, problemOf } from "../lookups.js";
import { state, subscribe } from "../store.js";
import { button, choice, counted } from "./parts.js";
import { markStop, moveFocus } from "./roving.js";

const FILTERS = { all: () => true, doubtful: ({ doubt }) => doubt > 0, unseen: ({ seen }) => !seen, empty: ({ count }) => count === 0 };
const TEXTS = { all: "all", doubtful: "doubtful", unseen: "not yet seen", empty: "without objects" };

let filter = "all";

/** Put it in its place. */
export const mountGrid = () => {
  const bar = el("div", { class: "lane-bar" });
  const cells = el("div", { class: "cells", testid: "cells", on: { keydown: moveFocus } });
  byId("grid").append(bar, cells);
  const draw = () => {
    if (!isStills()) return refill(cells, []);
    const stills = stillsOf(state.input);
    const shown = stills.filter(FILTERS[filter]);
    refill(bar, barOf(stills.length, shown.length, draw));
    refill(cells, shown.length === 0 ? [el("p", { class: "empty quiet", text: "No picture is like that." })] : shown.map(cellOf));
    return mark(cells);
  };
  subscribe(["input"], draw);
  subscribe(["frame"], () => mark(cells));
};

/** What is known of each still. */
const stillsOf = ({ frame_indices, file_names, states, objects }) => {
  const stills = frame_indices.map((frame_index, row) => ({
    frame_index,
    name: file_names[row],
    seen: states[row] === "h",
    count: 0,
    doubt: 0,
  }));
  const byFrame = new Map(stills.map((still) => [still.frame_index, still]));
  for (const { first, doubt } of objects) {
    const still = byFrame.get(first);
    still.count += 1;
    still.doubt = Math.max(still.doubt, doubt);
  }
  return stills;
};

const barOf = (total, shown, draw) => [
  el("span", { class: "quiet", text: shown === total ? counted(total, "picture") : `${shown} of ${counted(total, "picture")}` }),
  choice("grid-filter", "Which pictures", Object.entries(TEXTS), filter, (value) => {
    filter = value;
    draw();
  }),
  el("span", { class: "stretch" }),
  button("grid-back", "‹", () => actions.step(-1), { key: "One frame back", title: "Picture before" }),
  button("grid-on", "›", () => actions.step(1), { key: "One frame on", title: "Next picture" }),
];

const cellOf = ({ frame_index, name, seen, count, doubt }) =>
  el(
    "button",
    {
      type: "button",
      class: "cell",
      testid: `grid-item-${frame_index}`,
      title: `${name}: ${counted(count, "object")}${doubt > 0 ? `, doubt ${doubt.toFixed(2)}` : ""}`,
      "data-frame": String(frame_index),
      on: { click: () => actions.seek(frame_index) },
    },
    el("img", { loading: "lazy", alt: "", src: thumbnailOf(frame_index) }),
    el("span", { class: "cut small", text: name }),
    el("span", { class: "small quiet", text: `${count}${seen ? " ✓" : ""}` }),
    el("i", { class: "cell-doubt", style: { width: `${100 * doubt}%` } }),
  );

const thumbnailOf = (frame_index) => {
  const { name } = state.input;
  return problemOf(name) === null ? inputPath(name, "frames", frame_index, "thumbnail") : null;
};

const mark = (cells) => {
  const items = [...cells.querySelectorAll(".cell")];
  const current = items.find((cell) => cell.dataset.frame === String(state.frame));
  for (const cell of items) cell.setAttribute("aria-current", String(cell === current));
  markStop(items, current);
  current?.scrollIntoView({ block: "nearest" });
};
