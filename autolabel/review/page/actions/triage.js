/** The queue: what is most doubtful comes first, and each thing is accepted, put right or rejected. */

import { get } from "../api.js";
import { queueItem } from "../lookups.js";
import { set, state } from "../store.js";
import { deleteWhole, dismiss, edit, restore } from "./editing.js";
import { attempt, openInput, say } from "./loading.js";
import { seek, select, selectGhost } from "./looking.js";

/** Load the queue and the progress. */
export const refreshTriage = async () => {
  const [queue, progress] = await Promise.all([get("/api/queue"), get("/api/progress")]);
  set({ queue: queue.items, progress });
};

/** @type {(key: string) => Promise<void>} turn to an item of the queue */
export const openItem = async (key) => {
  const item = state.queue.find((one) => one.key === key);
  if (item === undefined) return;
  if (item.input !== state.input?.name) await openInput(item.input, item.frame_index);
  set({ queue_at: key, playing: 0 });
  if (item.kind === "rejected") selectGhost(item.index);
  else select(item.kind === "masklet" ? item.object_id : null);
  seek(item.frame_index);
};

/** Turn to the nearest open item in a direction, from the other end on when there is none. */
const move = async (direction) => {
  const at = state.queue.findIndex((item) => item.key === state.queue_at);
  const around = at < 0 ? state.queue : [...state.queue.slice(at + 1), ...state.queue.slice(0, at)];
  const open = around.filter((item) => item.state === "open");
  const item = direction > 0 ? open[0] : open.at(-1);
  if (item === undefined) say("Every item of the queue is done.");
  else await openItem(item.key);
};

/** Turn to the next open item of the queue. */
export const next = () => move(1);

/** Turn to the open item before this one. */
export const previous = () => move(-1);

/** Say that it is right: the item of the queue, or the selected object. A rejected masklet is an object after all. */
export const accept = () => decide({ masklet: acceptObject, rejected: restore, frame: exhaustive });

/** Say that it is no object: the item of the queue, or the selected object. A rejected masklet stays rejected. */
export const reject = () => decide({ masklet: deleteWhole, rejected: dismiss, frame: noObject });

const acceptObject = () => edit({ action: "accept", object_id: state.selected });

const exhaustive = () => edit({ action: "mark_exhaustive", first: state.frame, last: state.frame });

const noObject = () => say("A frame cannot be rejected; mark it empty or put its objects right.");

const decide = async (ways) => {
  const item = queueItem();
  const current = isLookedAt(item);
  const kind = state.ghost !== null ? "rejected" : state.selected !== null ? "masklet" : current ? item.kind : null;
  if (kind === null) return say("Select an object first, or turn to an item of the queue.");
  const done = await ways[kind]();
  if (done && current) await next();
};

const isLookedAt = (item) => {
  if (item === null || item.input !== state.input.name) return false;
  if (item.kind === "masklet") return item.object_id === state.selected;
  if (item.kind === "rejected") return item.index === state.ghost;
  return state.selected === null && state.ghost === null && item.frame_index === state.frame;
};

/** Load queue and progress anew without being asked; what is refused is told. */
export const reloadTriage = () => attempt(refreshTriage);
