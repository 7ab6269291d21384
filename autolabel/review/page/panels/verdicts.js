/** What is decided about the item of the queue, or about what is selected: right, to be put right, or none. */

import * as actions from "../actions.js";
import { el } from "../dom.js";
import { keyLabel } from "../keys.js";
import { queueItem } from "../lookups.js";
import { state } from "../store.js";
import { button } from "./parts.js";

/** @type {() => HTMLElement[]} */
export const verdicts = () => {
  const isGhost = state.ghost !== null;
  const isNothing = state.selected === null && !isGhost;
  const isFrame = isNothing && queueItem()?.kind === "frame";
  const hasTracker = state.run !== null && state.run.tracker !== null;
  const verdict = (name, text, run, options) => button(name, text, run, { ...options, showKey: true });
  return [
    verdict("accept", isGhost ? "Bring back" : "Accept", actions.accept, {
      key: "Accept",
      class: "verdict good",
      title: isGhost ? "It is an object after all" : isFrame ? "Everything on this frame is labelled, and rightly" : "It is right as it stands",
      disabled: isNothing && !isFrame,
    }),
    verdict("fix", "Fix", () => actions.setTool("point"), {
      key: "Click points",
      class: "verdict",
      title: hasTracker ? "Put it right with clicks" : "This run has no tracker to put it right with",
      disabled: isNothing || isGhost || !hasTracker,
    }),
    verdict("reject", isGhost ? "Dismiss" : "Reject", actions.reject, {
      key: "Reject",
      class: "verdict danger",
      title: isGhost ? "It was rightly rejected" : "It is no object",
      disabled: isNothing,
    }),
    el("p", { class: "quiet small" }, ...hint()),
  ];
};

const hint = () => [el("kbd", { text: keyLabel("j") }), " next ", el("kbd", { text: keyLabel("k") }), " back"];
