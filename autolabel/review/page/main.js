/** The page's beginning: its parts take their places, then the run is loaded. */

import * as actions from "./actions.js";
import { mountAddress } from "./address.js";
import { mountKeys } from "./keys.js";
import { mountLanes } from "./lanes.js";
import { mountPanels } from "./panels/panels.js";
import { startPulse } from "./pulse.js";
import { startSeconds } from "./seconds.js";
import { mountStage } from "./stage.js";
import * as store from "./store.js";

window.autolabelReview = { store, actions };

mountStage();
mountLanes();
mountPanels();
mountKeys();
mountAddress();
startSeconds();
store.subscribe(["input"], () => {
  document.body.dataset.kind = store.state.input.kind;
});
actions.start().then(startPulse);
