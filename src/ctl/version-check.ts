/**
 * A client of another version than its cluster might write what the cluster does not understand.
 * Only a cluster that says it is Switchyard's is compared: this program's version and Calico's have
 * nothing to do with each other.
 */

import type { Datastore } from "../datastore/index.ts";
import { errorText, hasCode } from "../lib/index.ts";
import type { ClusterInformation } from "../model/index.ts";
import { failure } from "./crud/errors.ts";
import { clientVersion } from "./version.ts";

const override = "Use --allow-version-mismatch to override";

function bare(version: string): string {
  return version.replace(/^v/, "").replace(/-.*$/s, "");
}

/** @throws SwitchyardError if versions differ or cannot be compared. */
export async function checkVersions(datastore: Datastore, prefix: string): Promise<void> {
  let information: ClusterInformation;
  try {
    information = await datastore.get("ClusterInformation", "default");
  } catch (error) {
    if (hasCode(error, "RESOURCE_NOT_FOUND")) return;
    if (hasCode(error, "DATASTORE_UNAVAILABLE")) throw error;
    throw failure(
      `${prefix}unable to get Cluster Information to verify version mismatch: ${errorText(error)}\n${override}`,
      error,
    );
  }
  const { calicoVersion, variant } = information.spec;
  if (variant !== "Switchyard" || !calicoVersion) return;
  const client = clientVersion();
  if (bare(client) === bare(calicoVersion)) return;
  throw failure(
    `${prefix}version mismatch.\nClient Version:   ${client}\nCluster Version:  ${bare(calicoVersion)}\n${override}`,
  );
}
