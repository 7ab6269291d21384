/** What the page says by itself: short messages, and the states in which it cannot go on. */

import { dismissToast } from "../actions.js";
import { byId, el } from "../dom.js";
import { state, subscribe } from "../store.js";
import { button } from "./parts.js";

const TITLES = {
  expired: "This link has expired",
  offline: "The server is gone",
  failed: "This run cannot be shown",
  empty: "This run is empty",
};

/** Begin to show them. */
export const mountToasts = () => {
  subscribe(["toast"], () => byId("toasts").replaceChildren(...(state.toast === null ? [] : [message(state.toast)])));
  subscribe(["problem"], () => {
    document.querySelector(".problem")?.remove();
    if (state.problem !== null) document.body.append(problem(state.problem));
  });
};

const message = ({ kind, sentence }) =>
  el("div", { class: `toast ${kind}`, testid: "toast", role: kind === "error" ? "alert" : "status", text: sentence, on: { click: dismissToast } });

const problem = ({ kind, sentence }) =>
  el(
    "div",
    { class: "problem", testid: "problem", role: "alertdialog", "aria-label": TITLES[kind] },
    el("div", { class: "dialog" }, el("h2", { text: TITLES[kind] }), el("p", { text: sentence }), button("retry", "Try again", () => location.reload(), { class: "primary" })),
  );
