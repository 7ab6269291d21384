/** Arrow keys move the focus within a list or grid that was reached by the Tab key, of which one thing is a stop of Tab. */

/** Where each key leads from the place `at` among `count` things that stand in `columns`. */
const WAYS = {
  ArrowDown: (at, count, columns) => at + columns,
  ArrowUp: (at, count, columns) => at - columns,
  ArrowRight: (at) => at + 1,
  ArrowLeft: (at) => at - 1,
  Home: () => 0,
  End: (at, count) => count - 1,
};

/**
 * Move the focus among the children of the list that listens. After a click with the mouse arrow keys stay the page's.
 *
 * @param {KeyboardEvent} event
 */
export const moveFocus = (event) => {
  const stops = [...event.currentTarget.children];
  const at = stops.indexOf(document.activeElement);
  const way = WAYS[event.key];
  if (at < 0 || way === undefined || event.ctrlKey || event.altKey || event.shiftKey || event.metaKey) return;
  const columns = columnsOf(stops);
  const isAside = columns === 1 && ["ArrowLeft", "ArrowRight"].includes(event.key);
  if (isAside || !stops[at].matches(":focus-visible")) return;
  event.preventDefault();
  stops[way(at, stops.length, columns)]?.focus();
};

const columnsOf = (stops) => {
  const second = stops.findIndex(({ offsetTop }) => offsetTop > stops[0].offsetTop);
  return second < 0 ? stops.length : second;
};

/**
 * Make one thing of a list the stop of the Tab key: the current one, or else the first.
 *
 * @param {HTMLElement[]} items
 * @param {HTMLElement} [current]
 */
export const markStop = (items, current = items[0]) => {
  for (const item of items) item.tabIndex = item === current ? 0 : -1;
};
