/** Making elements; data gets into them as text and never as markup. */

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
  for (const [type, listener] of Object.entries(on)) element.addEventListener(type, listener);
  for (const [name, value] of Object.entries(style)) element.style.setProperty(name, value);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
};

/**
 * The element of the page with this id.
 *
 * @param {string} id
 * @returns {HTMLElement}
 */
export const byId = (id) => document.getElementById(id);
