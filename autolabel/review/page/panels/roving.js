/** Arrow keys move the focus within a list or grid that was reached by the Tab key, of which one thing is a stop of Tab. */

/** Where each key leads from the place `at` among `count` things that stand in `columns`. */
const WAYS = {
  ArrowDown: (at, count, columns) => at + columns,
  ArrowUp: (at, count, columns) => at - columns,
  ArrowRight: (at, count, columns) => (columns > 1 ? at + 1 : at),
  ArrowLeft: (at, count, columns) => (columns > 1 ? at - 1 : at),
  Home: () => 0,
  End: (at, count) => count - 1,
};

/**
 * Let arrow keys move the focus among the children of a list. After a click with the mouse they stay the page's.
 *
 * @param {HTMLElement} list
 */
export const rove = (list) => {
  list.addEventListener("keydown", (event) => {
    const stops = [...list.children];
    const at = stops.indexOf(document.activeElement);
    const way = WAYS[event.key];
    if (at < 0 || way === undefined || event.ctrlKey || event.altKey || event.shiftKey || event.metaKey) return;
    if (!stops[at].matches(":focus-visible")) return;
    const columns = columnsOf(stops);
    const isAside = columns === 1 && ["ArrowLeft", "ArrowRight"].includes(event.key);
    if (isAside) return;
    event.preventDefault();
    stops[way(at, stops.length, columns)]?.focus();
  });
};

const columnsOf = (stops) => {
  const second = stops.findIndex(({ offsetTop }) => offsetTop > stops[0].offsetTop);
  return second < 0 ? stops.length : second;
};

/**
 * Make one thing of a list the stop of the Tab key: the current one, or else the first.
 *
 * @param {HTMLElement[]} items
 * @param {HTMLElement | undefined} current
 */
export const markStop = (items, current) => {
  const stop = current ?? items[0];
  for (const item of items) item.tabIndex = item === stop ? 0 : -1;
};
