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
};
