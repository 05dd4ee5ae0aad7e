/** Client of our own API server. */

import type { Datastore } from "../types.ts";
import { ApiStore } from "./store.ts";

export { type ApiStatus, failureStatus, statusFromError } from "./status.ts";

/** Connects on first use. Reconnecting after DATASTORE_UNAVAILABLE is calling again. */
export function openApiClient(options: { socketPath: string }): Datastore {
  return new ApiStore(options);
}
