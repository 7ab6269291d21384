/** What the stage says when it has no frame to show. */

import { el } from "./dom.js";
import { state, subscribe } from "./store.js";

/** @type {(element: HTMLElement) => void} */
export const mountNotice = (element) => {
  const words = el("p");
  const notice = el("div", { class: "notice", testid: "notice", role: "status" }, words);
  element.append(notice);
  const update = () => {
    const isWaiting = state.masks === null;
    const sentence = state.frame_problem ?? (isWaiting ? (state.busy ?? "Loading the frame") : null);
    notice.hidden = sentence === null;
    notice.classList.toggle("wrong", state.frame_problem !== null);
    notice.classList.toggle("aside", !isWaiting);
    words.textContent = sentence ?? "";
  };
  subscribe(["busy", "masks", "frame_problem", "input"], update);
  update();
};
