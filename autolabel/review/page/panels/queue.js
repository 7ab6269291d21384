/** The queue: what is most doubtful first, each with its picture, its reason and what became of it. */

import * as actions from "../actions.js";
import { byId, el, refill } from "../dom.js";
import { state, subscribe } from "../store.js";
import { button, percent } from "./parts.js";
import { queueRow } from "./queue_row.js";
import { markStop, moveFocus } from "./roving.js";
import { verdicts } from "./verdicts.js";

let isOpenOnly = true;

/** Put it in its place. */
export const mountQueue = () => {
  const head = el("div", { class: "queue-head" });
  const list = el("div", { class: "queue-list", role: "listbox", "aria-label": "What to look at", testid: "queue-list", on: { keydown: moveFocus } });
  const foot = el("div", { class: "verdicts" });
  byId("queue").append(head, list, foot);
  const drawList = () => {
    refill(head, headOf(drawList));
    refill(list, listOf());
    markCurrent(list);
  };
  const drawFoot = () => refill(foot, verdicts());
  let shown = null;
  subscribe(["queue", "queue_at", "run", "progress"], () => {
    drawList();
    if (state.queue_at !== shown) list.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
    shown = state.queue_at;
  });
  subscribe(["queue", "queue_at", "selected", "ghost", "run"], drawFoot);
  drawList();
  drawFoot();
};

const isLoaded = () => state.progress !== null;

const openItems = () => state.queue.filter((item) => item.state === "open");

const headOf = (draw) => {
  const open = openItems().length;
  const done = state.queue.length - open;
  const toggle = () => {
    isOpenOnly = !isOpenOnly;
    draw();
  };
  return [
    el("h2", { text: "Queue" }),
    el("span", { class: "quiet small", testid: "queue-count", text: isLoaded() ? `${open} open` : "" }),
    el("span", { class: "stretch" }),
    button("queue-filter", "Done too", toggle, {
      class: "plain small",
      title: isOpenOnly ? "Show what is done as well" : "Show only what is open",
      pressed: !isOpenOnly,
    }),
    el(
      "div",
      { class: "queue-progress", title: `${done} of ${state.queue.length} done` },
      el("i", { style: { width: percent(state.queue.length === 0 ? 0 : done / state.queue.length).replace(" ", "") } }),
    ),
  ];
};

const listOf = () => {
  if (!isLoaded()) return Array.from({ length: 5 }, () => el("div", { class: "queue-item waiting" }, el("span", { class: "queue-picture" })));
  const items = isOpenOnly ? state.queue.filter((item) => item.state === "open" || item.key === state.queue_at) : state.queue;
  const isDone = openItems().length === 0;
  return [...(isDone ? [summary()] : []), ...items.map(queueRow)];
};

/** What is said when nothing is open: proudly, where there was something. */
const summary = () => {
  const tally = (name) => state.queue.filter((item) => item.state === name).length;
  if (state.queue.length === 0) return el("p", { class: "empty quiet", testid: "queue-empty", text: "Nothing is doubtful here, and nothing was labelled that a sample could be drawn from." });
  return el(
    "div",
    { class: "summary", testid: "queue-empty" },
    el("strong", { text: "All looked at." }),
    el(
      "dl",
      { class: "facts small" },
      ...[
        ["right as they were", "accepted"],
        ["put right", "fixed"],
        ["taken out", "removed"],
      ].flatMap(([words, name]) => [el("dt", { text: words }), el("dd", { text: String(tally(name)) })]),
    ),
    button("export-now", "Export", () => actions.openDialog("export"), { class: "primary" }),
  );
};

const markCurrent = (list) => {
  const rows = [...list.querySelectorAll("[role=option]")];
  for (const row of rows) row.setAttribute("aria-selected", String(row.dataset.key === state.queue_at));
  markStop(rows, rows.find((row) => row.dataset.key === state.queue_at));
};
