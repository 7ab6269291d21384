/** What other tabs and the server do meanwhile, once a second. */

import { get } from "./api.js";
import { attachJob } from "./actions/jobs.js";
import { report, reloadInput, say } from "./actions/loading.js";
import { refreshTriage } from "./actions/triage.js";
import { set, state } from "./store.js";

const EVERY_MS = 1000;
const client = crypto.randomUUID();

/** Begin to ask; asking never ends, so that a server that comes back is seen. */
export const startPulse = () => {
  beat().finally(() => setTimeout(startPulse, EVERY_MS));
};

const beat = async () => {
  if (state.problem?.kind === "expired") return;
  try {
    const pulse = await get(`/api/pulse?client=${client}`);
    if (state.problem?.kind === "offline") set({ problem: null });
    set({ others: pulse.others });
    await followRevision(pulse.revisions);
    if (pulse.job_id !== null) attachJob(pulse.job_id).catch(report);
  } catch (error) {
    if (error.status === 0 || error.status === 401) await report(error);
  }
};

const followRevision = async (revisions) => {
  const quiet = state.input !== null && state.busy === null && state.job === null;
  const newest = quiet ? revisions[state.input.name] : undefined;
  if (newest === undefined || newest <= state.input.revision) return;
  await Promise.all([reloadInput(), refreshTriage()]);
  say("The labels were changed in another tab; this one shows them now.");
};
