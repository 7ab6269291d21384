/** What the page says by itself: short messages, and the states in which it cannot go on. */

import { byId, el } from "../dom.js";
import { set, state, subscribe } from "../store.js";
import { button } from "./parts.js";

const SHOWN_MS = { info: 3500, error: 9000 };
const TITLES = {
  expired: "This link has expired",
  offline: "The server is gone",
  failed: "This run cannot be shown",
};

/** Begin to show them. */
export const mountToasts = () => {
  let timer;
  subscribe(["toast"], () => {
    clearTimeout(timer);
    const { toast } = state;
    byId("toasts").replaceChildren(...(toast === null ? [] : [message(toast)]));
    if (toast !== null) timer = setTimeout(() => set({ toast: null }), SHOWN_MS[toast.kind]);
  });
  subscribe(["problem"], () => {
    document.querySelector(".problem")?.remove();
    if (state.problem !== null) document.body.append(problem(state.problem));
  });
};

const message = ({ kind, sentence }) =>
  el("div", { class: `toast ${kind}`, testid: "toast", role: kind === "error" ? "alert" : "status", text: sentence, on: { click: () => set({ toast: null }) } });

const problem = ({ kind, sentence }) =>
  el(
    "div",
    { class: "problem", testid: "problem", role: "alertdialog", "aria-label": TITLES[kind] },
    el("div", { class: "dialog" }, el("h2", { text: TITLES[kind] }), el("p", { text: sentence }), button("retry", "Try again", () => location.reload(), { class: "primary" })),
  );
