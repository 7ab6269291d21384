/** Input and frame stand in the page's address, so that loading it anew comes back to them. */

import { state, subscribe } from "./store.js";

const QUIET_MS = 500;

/** Begin to keep the address. */
export const mountAddress = () => {
  let timer = 0;
  subscribe(["input", "frame"], () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const place = new URLSearchParams({ input: state.input.name, frame: `${state.frame}` });
      history.replaceState(null, "", `#${place}`);
    }, QUIET_MS);
  });
};
