/** Every thing that a person can do on the page, as one function each; buttons, keys and the queue call them alike. */

export * from "./actions/loading.js";
export * from "./actions/looking.js";
export * from "./actions/editing.js";
export * from "./actions/prompting.js";
export * from "./actions/jobs.js";
export * from "./actions/triage.js";
