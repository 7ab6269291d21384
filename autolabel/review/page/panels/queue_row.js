/** One item of the queue: its picture, what it is, why one should look, and what became of it. */

import * as actions from "../actions.js";
import { inputPath } from "../api.js";
import { become, el } from "../dom.js";
import { classOf, problemOf, shortId } from "../lookups.js";
import { swatch } from "./parts.js";

const SIGNS = { open: ["", ""], accepted: ["✓", "accepted"], fixed: ["✎", "put right"], removed: ["✕", "taken out"] };

/** @type {Map<string, {item: string, row: HTMLElement}>} by key; a row is drawn anew only when its item changed */
const rows = new Map();

/**
 * The row of an item.
 *
 * @param {{key: string, input: string, kind: "masklet" | "rejected" | "frame", object_id: number | null, index: number | null,
 *   frame_index: number, class_id: number | null, doubt: number, random: boolean, reasons: {words: string}[],
 *   state: "open" | "accepted" | "fixed" | "removed"}} item
 * @returns {HTMLElement}
 */
export const queueRow = (item) => {
  const words = JSON.stringify(item);
  const known = rows.get(item.key);
  if (known?.item === words) return known.row;
  const fresh = makeRow(item);
  const row = known?.row ?? fresh;
  if (row !== fresh) become(row, fresh);
  rows.set(item.key, { item: words, row });
  return row;
};

const makeRow = (item) => {
  const open = () => actions.openItem(item.key);
  const isOpening = (event) => ["Enter", " "].includes(event.key) && event.currentTarget.matches(":focus-visible");
  return el(
    "div",
    {
      class: "queue-item",
      role: "option",
      tabindex: "-1",
      testid: `queue-item-${item.key}`,
      title: item.reasons.map(({ words }) => words).join("; "),
      "data-key": item.key,
      "data-state": item.state,
      on: {
        click: open,
        keydown: (event) => {
          if (isOpening(event)) open();
        },
      },
    },
    el(
      "div",
      {},
      pictureOf(item),
      el("div", { class: "doubt-bar", title: `doubt ${item.doubt.toFixed(2)}` }, el("i", { style: { width: `${100 * item.doubt}%` } })),
    ),
    el(
      "div",
      { class: "stretch" },
      el("div", { class: "queue-name" }, ...(item.kind === "frame" ? [] : [swatch(item.class_id)]), el("span", { class: "cut", text: nameOf(item) }), ...verdictOf(item)),
      el("div", { class: "queue-why small quiet", text: item.reasons[0].words }),
      el(
        "div",
        { class: "queue-where quiet" },
        ...tagsOf(item),
        el("span", { class: "cut stretch", text: `${item.input} · ${item.frame_index}`, title: `${item.input}, frame ${item.frame_index}` }),
      ),
    ),
  );
};

const nameOf = ({ kind, class_id, object_id, frame_index }) => {
  if (kind === "frame") return `frame ${frame_index}`;
  return object_id === null ? classOf(class_id).name : `${classOf(class_id).name} ${shortId(object_id)}`;
};

const tagsOf = ({ kind, random }) => [
  ...(kind === "rejected" ? [el("span", { class: "tag", text: "rejected" })] : []),
  ...(random ? [el("span", { class: "tag random", text: "sample", title: "Drawn at random: it tells how good all labels are" })] : []),
];

const verdictOf = (item) => {
  const [sign, words] = SIGNS[item.state];
  return sign === "" ? [] : [el("span", { class: "state", role: "img", "aria-label": words, title: words, text: sign })];
};

const pictureOf = (item) => {
  if (problemOf(item.input) !== null || (item.state === "removed" && item.kind === "masklet")) return el("span", { class: "queue-picture" });
  const src = item.kind === "frame" ? inputPath(item.input, "frames", item.frame_index, "thumbnail") : cropOf(item);
  return el("img", { class: "queue-picture", loading: "lazy", alt: "", src, on: { error: ({ target }) => target.removeAttribute("src") } });
};

const cropOf = ({ input, kind, index, object_id, frame_index }) => {
  const what = kind === "rejected" ? ["rejected", index] : ["objects", object_id];
  return `${inputPath(input, ...what, "crop")}?frame_index=${frame_index}`;
};
