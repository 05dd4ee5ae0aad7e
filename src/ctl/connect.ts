/** Opens the datastore for one command and says clearly why it cannot. */

import { type Datastore, openApiClient } from "../datastore/index.ts";
import { errorText, hasCode, SwitchyardError } from "../lib/index.ts";
import { resolveConnection } from "./config.ts";
import type { ConnectionOptions, CtlContext } from "./context.ts";
import { checkVersions } from "./version-check.ts";

interface DatastoreRequest {
  readonly options: ConnectionOptions;
  readonly context: CtlContext;
  /** Put before an error of the version check. */
  readonly prefix?: string;
  /** `version` looks at other versions without complaint. */
  readonly skipVersionCheck?: boolean;
}

/** Closes the datastore afterwards, whatever happens. */
export async function withDatastore<T>(
  request: DatastoreRequest,
  action: (datastore: Datastore) => Promise<T>,
): Promise<T> {
  const { options, context, prefix = "" } = request;
  const { socketPath } = await resolveConnection(options.config, context.env);
  const datastore = openApiClient({ socketPath });
  try {
    if (!options.allowVersionMismatch && !request.skipVersionCheck) {
      await checkVersions(datastore, prefix);
    }
    return await action(datastore);
  } catch (error) {
    throw hasCode(error, "DATASTORE_UNAVAILABLE") ? unavailable(error, socketPath) : error;
  } finally {
    await datastore.close();
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such socket",
  ECONNREFUSED: "nobody listens there",
  EACCES: "permission denied; run as root or as a member of the socket's group",
};

function unavailable(error: SwitchyardError, socketPath: string): SwitchyardError {
  const errno = error.details.errno;
  // The server was reached and has trouble of its own.
  if (typeof errno !== "string") return error;
  const reason = reasons[errno] ?? errorText(error);
  return new SwitchyardError(
    "DATASTORE_UNAVAILABLE",
    `cannot reach the Switchyard server at ${socketPath}: ${reason}\n` +
      "Start it with `switchyard server`, bring up a lab with `switchyard lab up`, " +
      "or name its socket in SWITCHYARD_SOCKET.",
    { cause: error },
  );
}
