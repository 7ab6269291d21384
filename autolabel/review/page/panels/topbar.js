/** The bar at the top: which input, undo and redo, finding and exporting, and how far the review is. */

import * as actions from "../actions.js";
import { byId, el, refill } from "../dom.js";
import { state, subscribe } from "../store.js";
import { button, choice, counted, duration, percent } from "./parts.js";

/** Put it in its place. */
export const mountTopbar = () => {
  const draw = () => refill(byId("topbar"), state.run === null ? [brand()] : content());
  subscribe(["run", "input", "progress", "busy", "others", "job"], draw);
  draw();
};

const brand = () => el("strong", { class: "brand", text: "autolabel" });

const content = () => [
  brand(),
  inputChooser(),
  el("div", { class: "group" }, ...history()),
  button("find", "Find", () => actions.openDialog("find"), findOptions()),
  el("span", { class: "stretch" }),
  el("span", { class: "busy quiet small cut", testid: "busy", role: "status", text: state.busy === null ? "" : `${state.busy} …` }),
  ...(state.others > 0 ? [otherTabs()] : []),
  ...(state.progress === null ? [] : [progress(state.progress)]),
  button("export", "Export", () => actions.openDialog("export"), { key: "Export", class: "primary" }),
  button("help", "?", actions.toggleHelp, { title: "Keys", key: "This sheet", class: "plain" }),
];

const inputChooser = () => {
  const names = state.run.inputs.map(({ name, object_count, problem }) => {
    return [name, `${name} · ${counted(object_count, "object")}${problem === null ? "" : " · no pictures"}`];
  });
  return choice("input", "Input", names, state.input?.name ?? "", actions.openInput);
};

const findOptions = () => {
  const hasDetector = state.run.detector !== null;
  const title = hasDetector ? "Find objects on this frame by words" : "This run has no detector to find with";
  return { key: "Find objects", title, disabled: state.input === null || !hasDetector };
};

const history = () =>
  [
    ["undo", "Undo", actions.undo, state.input?.undo ?? null],
    ["redo", "Redo", actions.redo, state.input?.redo ?? null],
  ].map(([name, text, run, action]) =>
    button(name, text, run, {
      key: text,
      title: action === null ? `Nothing to ${name}` : `${text}: ${action}`,
      disabled: action === null,
    }),
  );

const otherTabs = () =>
  el("span", {
    class: "chip warning",
    testid: "other-tabs",
    title: "Another tab looks at this run; what it changes is loaded here, too.",
    text: "open in another tab",
  });

const progress = ({ reviewed, total, seconds, precision }) =>
  el(
    "div",
    { class: "progress small", testid: "progress", title: "Looked at, of all that is doubtful or drawn at random, and how long that took" },
    el("span", { text: `${reviewed} of ${total} · ${duration(seconds)}` }),
    precisionOf(precision),
  );

const precisionOf = (precision) => {
  const { value, low, high, reviewed, sample } = precision ?? {};
  const isKnown = precision !== null;
  return el(
    "span",
    { class: "precision", testid: "precision", title: isKnown ? `${PRECISION} So far ${reviewed} of ${sample}.` : PRECISION },
    isKnown ? `precision ${percent(value)}` : "precision",
    el("span", { class: "interval" }, ...(isKnown ? [interval(low, high), el("b", { style: { left: `${100 * value}%` } })] : [])),
    el("span", { class: "quiet", text: isKnown ? `${percent(low).replace(" %", "")}–${percent(high)}` : "no verdict yet" }),
  );
};

const interval = (low, high) => el("i", { style: { left: `${100 * low}%`, width: `${100 * (high - low)}%` } });

const PRECISION =
  "Share of the masks that are right, with its 95 % interval, by the verdicts on masklets that were drawn at random.";
