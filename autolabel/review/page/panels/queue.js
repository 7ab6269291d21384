/** The queue: what is most doubtful first, each with its picture, its reason and what became of it. */

import * as actions from "../actions.js";
import { inputPath } from "../api.js";
import { byId, el, refill } from "../dom.js";
import { classOf } from "../lookups.js";
import { state, subscribe } from "../store.js";
import { button, counted, swatch } from "./parts.js";

const SIGNS = { open: "", accepted: "✓", fixed: "✎", removed: "✕" };

/** Elements of the items by key, kept so that their pictures are loaded once. */
const elements = new Map();
let isOpenOnly = true;

/** Put it in its place. */
export const mountQueue = () => {
  const head = el("div", { class: "panel-head" });
  const list = el("div", { class: "queue-list", role: "listbox", "aria-label": "What to look at", testid: "queue-list" });
  const foot = el("div", { class: "verdicts" });
  byId("queue").append(head, list, foot);
  const draw = () => {
    refill(head, headOf());
    drawList(list);
    refill(foot, verdicts());
  };
  filterChanged = draw;
  subscribe(["queue", "queue_at", "run", "selected", "ghost"], draw);
  draw();
};

let filterChanged = () => {};

const openItems = () => state.queue.filter((item) => item.state === "open");

const headOf = () => [
  el("h2", { text: "Queue" }),
  el("span", { class: "quiet small", testid: "queue-count", text: `${openItems().length} open` }),
  el("span", { class: "stretch" }),
  button("queue-filter", isOpenOnly ? "Show all" : "Show open", toggleFilter, { class: "plain small" }),
];

const toggleFilter = () => {
  isOpenOnly = !isOpenOnly;
  filterChanged();
};

const drawList = (list) => {
  const items = isOpenOnly ? state.queue.filter((item) => item.state === "open" || item.key === state.queue_at) : state.queue;
  if (items.length === 0) {
    list.replaceChildren(el("p", { class: "empty quiet", testid: "queue-empty" }, ...nothingLeft()));
    return;
  }
  const wanted = items.map((item) => drawItem(item));
  if (list.children.length !== wanted.length || wanted.some((one, at) => list.children[at] !== one)) list.replaceChildren(...wanted);
  const current = elements.get(state.queue_at);
  if (current?.isConnected) current.scrollIntoView({ block: "nearest" });
};

const nothingLeft = () => {
  if (state.queue.length === 0) return ["Nothing is doubtful here."];
  const tally = (name) => state.queue.filter((item) => item.state === name).length;
  return [
    el("strong", { text: "All done." }),
    ` ${tally("accepted")} were right, ${tally("fixed")} were put right, ${tally("removed")} were none. Export when you like.`,
  ];
};

const drawItem = (item) => {
  const element = elements.get(item.key) ?? makeItem(item);
  elements.set(item.key, element);
  element.dataset.state = item.state;
  element.setAttribute("aria-selected", String(item.key === state.queue_at));
  element.querySelector(".state").textContent = SIGNS[item.state];
  return element;
};

const makeItem = (item) => {
  const [why] = item.reasons;
  return el(
    "div",
    {
      class: "queue-item",
      role: "option",
      tabindex: "-1",
      testid: `queue-item-${item.key}`,
      title: item.reasons.map(({ words }) => words).join("; "),
      on: { click: () => actions.openItem(item.key) },
    },
    pictureOf(item),
    el(
      "div",
      { class: "stretch" },
      el("div", { class: "queue-name" }, swatch(item.class_id), el("span", { class: "cut", text: nameOf(item) }), el("span", { class: "state" })),
      el("div", { class: "queue-why small quiet", text: why.words }),
      el("div", { class: "doubt", title: `doubt ${item.doubt.toFixed(2)}` }, el("i", { style: { width: `${100 * item.doubt}%` } })),
    ),
  );
};

const nameOf = (item) =>
  item.kind === "rejected" ? `rejected: ${classOf(item.class_id).name}` : `${classOf(item.class_id).name} ${item.object_id ?? ""}`;

const pictureOf = (item) => {
  const hasPicture = item.state !== "removed" && item.kind !== "frame" && !state.run?.inputs.find(({ name }) => name === item.input)?.problem;
  if (!hasPicture) return el("span", { class: "queue-picture" });
  const what = item.kind === "rejected" ? ["rejected", item.index] : ["objects", item.object_id];
  const src = `${inputPath(item.input, ...what, "crop")}?frame_index=${item.frame_index}`;
  return el("img", { class: "queue-picture", loading: "lazy", alt: "", src });
};

const verdicts = () => {
  const isNothing = state.selected === null && state.ghost === null;
  const isGhost = state.ghost !== null;
  return [
    button("accept", isGhost ? "Bring back" : "Accept", actions.accept, { key: "Accept", class: "good", showKey: true, disabled: isNothing }),
    button("fix", "Fix", () => actions.setTool("point"), { key: "Click points", title: "Put it right with clicks", showKey: true, disabled: isNothing || isGhost }),
    button("reject", isGhost ? "Dismiss" : "Reject", actions.reject, { key: "Reject", class: "danger", showKey: true, disabled: isNothing }),
    el("p", { class: "quiet small", text: openItems().length > 0 ? `${counted(openItems().length, "item")} to go; J next, K back` : "" }),
  ];
};
