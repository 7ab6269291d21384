/** The panels around the stage, each in its region of the page. */

import { mountDialogs } from "./dialogs.js";
import { mountGrid } from "./grid.js";
import { mountInspector } from "./inspector.js";
import { mountQueue } from "./queue.js";
import { mountToasts } from "./toasts.js";
import { mountToolbar } from "./toolbar.js";
import { mountTopbar } from "./topbar.js";
import { mountTransport } from "./transport.js";

/** Put every panel in its place. */
export const mountPanels = () => {
  mountTopbar();
  mountQueue();
  mountToolbar();
  mountTransport();
  mountInspector();
  mountGrid();
  mountDialogs();
  mountToasts();
  document.addEventListener("click", giveKeysBack);
};

/** After a press with the mouse the keys are the page's again, so that Enter does not press the same button once more. */
const giveKeysBack = ({ detail, target }) => {
  const isByMouse = detail > 0;
  if (isByMouse && target.closest(".dialog") === null) target.closest("button, [role=option]")?.blur();
};
