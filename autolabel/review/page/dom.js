/** Making elements, and making them anew in place; data gets into them as text and never as markup. */

/** @type {WeakMap<Element, Record<string, (event: Event) => unknown>>} what listens, so that it can be replaced */
const listeners = new WeakMap();

const dispatch = (event) => listeners.get(event.currentTarget)[event.type]?.(event);

/**
 * Make an element.
 *
 * @param {string} tag
 * @param {{class?: string, testid?: string, text?: string, title?: string, on?: Record<string, (event: Event) => void>,
 *   style?: Record<string, string>, [attribute: string]: unknown}} [options] `style` is set property by property, which
 *   the content policy allows; anything else is an attribute, left out when false, null or undefined
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export const el = (tag, options = {}, ...children) => {
  const { class: className, testid, text, on = {}, style = {}, ...attributes } = options;
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (testid) element.dataset.testid = testid;
  if (text !== undefined) element.textContent = text;
  listen(element, on);
  for (const [name, value] of Object.entries(style)) element.style.setProperty(name, value);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
};

const listen = (element, on) => {
  const known = listeners.get(element) ?? {};
  for (const type of Object.keys(on)) if (!(type in known)) element.addEventListener(type, dispatch);
  const silent = Object.fromEntries(Object.keys(known).map((type) => [type, undefined]));
  listeners.set(element, { ...silent, ...on });
};

/**
 * Put new content into a region. Elements that are there already become like the new ones instead of giving way to
 * them: a press of the mouse, the focus, an open list, what was scrolled and loaded pictures outlast it.
 *
 * @param {Element} region
 * @param {(Node | string)[]} children made by `el`; those with a `data-testid` are known again by it
 */
export const refill = (region, children) => {
  const wanted = children.filter((child) => child !== "").map((child) => (typeof child === "string" ? new Text(child) : child));
  const keys = new Set(wanted.map(keyOf));
  const named = new Map();
  for (const node of [...region.childNodes]) {
    if (!keys.has(keyOf(node))) node.remove();
    else if (keyOf(node) !== undefined) named.set(keyOf(node), node);
  }
  let at = region.firstChild;
  for (const child of wanted) {
    const key = keyOf(child);
    const old = key === undefined ? at : named.get(key);
    const node = old && isAlike(old, child) ? old : child;
    if (node !== child) become(node, child);
    if (node === old) named.delete(key);
    if (node === at) at = at.nextSibling;
    else region.insertBefore(node, at);
  }
  while (at !== null) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
};

const keyOf = (node) => node.dataset?.testid;

const isAlike = (old, child) => old.nodeName === child.nodeName && keyOf(old) === keyOf(child);

/**
 * Make an element like another one, which is of no use any more then.
 *
 * @param {Node} old
 * @param {Node} child
 */
export const become = (old, child) => {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== child.data) old.data = child.data;
    return;
  }
  for (const { name } of [...old.attributes]) if (!child.hasAttribute(name) && name !== "style") old.removeAttribute(name);
  for (const { name, value } of child.attributes) {
    if (name !== "style" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if (old.style.cssText !== child.style.cssText) old.style.cssText = child.style.cssText;
  listen(old, listeners.get(child) ?? {});
  const { value } = child;
  refill(old, [...child.childNodes]);
  const isTyping = old.matches("input") && old === document.activeElement;
  if (value !== undefined && !isTyping && old.value !== value) old.value = value;
};

/**
 * The element of the page with this id.
 *
 * @param {string} id
 * @returns {HTMLElement}
 */
export const byId = (id) => document.getElementById(id);
