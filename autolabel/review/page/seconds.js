/** How long a person has been at it: time with the page in view and a hand on it within the last half minute. */

const IDLE_AFTER_MS = 30_000;

let lastTouch = performance.now();
let countedTo = performance.now();
let counted = 0;
let visible = !document.hidden;

const count = () => {
  const now = performance.now();
  const until = visible ? Math.min(now, lastTouch + IDLE_AFTER_MS) : countedTo;
  counted += Math.max(0, until - countedTo);
  countedTo = now;
};

const touch = () => {
  count();
  lastTouch = performance.now();
};

/** Begin to watch the clock. */
export const startSeconds = () => {
  for (const type of ["pointermove", "pointerdown", "keydown", "wheel"]) {
    addEventListener(type, touch, { capture: true, passive: true });
  }
  document.addEventListener("visibilitychange", () => {
    touch();
    visible = !document.hidden;
  });
};

/** @type {() => number} active seconds since they were taken last */
export const takeSeconds = () => {
  count();
  const seconds = counted / 1000;
  counted = 0;
  return seconds;
};

/** @type {(seconds: number) => void} give back what was taken for an edit that was refused */
export const giveBackSeconds = (seconds) => {
  counted += seconds * 1000;
};
