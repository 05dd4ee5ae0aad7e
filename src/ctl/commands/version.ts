/** `version`: of this program and of the cluster. */

import { execFileSync } from "node:child_process";
import { errorText, hasCode, sleep } from "../../lib/index.ts";
import type { ClusterInformation } from "../../model/index.ts";
import type { ConnectionOptions, CtlContext } from "../context.ts";
import { failure } from "../crud/errors.ts";
import { parseGoDurationMs } from "../go-duration.ts";
import { clientVersion } from "../version.ts";

export interface VersionOptions extends ConnectionOptions {
  readonly client?: boolean;
  readonly poll?: string;
}

export async function version(
  _args: readonly string[],
  options: VersionOptions,
  context: CtlContext,
): Promise<void> {
  const pollMs = options.poll === undefined ? undefined : parseGoDurationMs(options.poll);
  if (options.poll !== undefined && pollMs === undefined) {
    throw failure(`invalid poll duration specified: ${options.poll}`);
  }
  context.stdout(`Client Version:    ${clientVersion()}\nGit commit:        ${gitCommit()}\n`);
  if (options.client) return;
  if (!pollMs) {
    context.stdout(await clusterLines(options, context));
    return;
  }
  for (let last = ""; ; await sleep(context.clock, pollMs)) {
    try {
      const lines = await clusterLines(options, context);
      if (lines !== last) context.stdout(lines);
      last = lines;
    } catch (error) {
      context.stderr(`${errorText(error)}\n`);
    }
  }
}

async function clusterLines(options: VersionOptions, context: CtlContext): Promise<string> {
  const { withDatastore } = await import("../connect.ts");
  let information: ClusterInformation;
  try {
    information = await withDatastore({ options, context, skipVersionCheck: true }, (datastore) =>
      datastore.get("ClusterInformation", "default"),
    );
  } catch (error) {
    if (hasCode(error, "DATASTORE_UNAVAILABLE")) throw error;
    throw failure(`unable to retrieve Cluster Version or Type: ${errorText(error)}`, error);
  }
  const { calicoVersion, clusterType } = information.spec;
  return (
    `Cluster Version:   ${calicoVersion || "unknown"}\n` +
    `Cluster Type:      ${clusterType || "unknown"}\n`
  );
}

/** Of the checkout this runs from; `unknown` where there is none. */
function gitCommit(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], {
      cwd: new URL("../../..", import.meta.url),
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return "unknown";
  }
}
