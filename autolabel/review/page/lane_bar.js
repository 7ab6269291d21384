/** The bar above the lanes: their order, the rejected ones, and the zoom of the time axis. */

import { fitAxis, setSort, toggleGhosts, zoomAxis } from "./actions.js";
import { el } from "./dom.js";
import { state, subscribe } from "./store.js";

const SORTS = [
  ["doubt", "Doubt"],
  ["class", "Class"],
  ["start", "Start"],
];

/** @type {() => HTMLElement} */
export const laneBar = () => {
  const count = el("span", { class: "quiet" });
  const sorts = SORTS.map(([sort, text]) =>
    el("button", { class: "plain small", testid: `button-sort-${sort}`, text, on: { click: () => setSort(sort) } }),
  );
  const ghosts = el("button", { class: "plain small", testid: "button-toggleGhosts", on: { click: toggleGhosts } });
  const zooms = [
    ["button-zoomAxisOut", "−", "Zoom the time axis out", () => zoomAxis(0.5)],
    ["button-zoomAxisIn", "+", "Zoom the time axis in", () => zoomAxis(2)],
    ["button-fitAxis", "All", "Show the whole time axis", fitAxis],
  ].map(([testid, text, title, click]) => el("button", { class: "plain small", testid, text, title, on: { click } }));
  const bar = el("div", { class: "lane-bar small" }, count, el("span", { class: "quiet", text: "Sort" }), ...sorts, ghosts);
  bar.append(el("span", { class: "stretch" }), legend(), ...zooms);

  const update = () => {
    const { input } = state;
    const objects = input?.objects.length ?? 0;
    count.textContent = objects === 1 ? "1 object" : `${objects} objects`;
    SORTS.forEach(([sort], at) => sorts[at].setAttribute("aria-pressed", state.sort === sort));
    const rejected = input?.rejected.filter((one) => !one.restored).length ?? 0;
    ghosts.textContent = `Rejected ${rejected}`;
    ghosts.disabled = rejected === 0;
    ghosts.setAttribute("aria-pressed", state.ghosts);
    zooms[0].disabled = zooms[2].disabled = state.axis === null;
  };
  subscribe(["input", "sort", "ghosts", "axis"], update);
  update();
  return bar;
};

const legend = () =>
  el(
    "span",
    { class: "legend quiet" },
    el("i", { class: "sign doubt" }), "doubt",
    el("i", { class: "sign detection" }), "detected",
    el("i", { class: "sign human" }), "by hand",
    el("i", { class: "sign locked" }), "locked",
  );
