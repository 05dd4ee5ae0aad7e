/** How addresses are handed out: the IPAMConfiguration named `default`, with what holds without it. */

import type { Datastore } from "../datastore/index.ts";
import { readOptional } from "./records.ts";

export interface IpamSettings {
  /** No address is taken from a block of another host. */
  readonly strictAffinity: boolean;
  /** New blocks are claimed when the host's are full. */
  readonly autoAllocateBlocks: boolean;
  /** 0: no limit of its own. */
  readonly maxBlocksPerHost: number;
  /** How long a released address is not used again. */
  readonly cooldownSeconds: number;
}

export async function readSettings(store: Datastore): Promise<IpamSettings> {
  const spec = (await readOptional(store, "IPAMConfiguration", "default"))?.spec;
  return {
    strictAffinity: spec?.strictAffinity ?? false,
    autoAllocateBlocks: spec?.autoAllocateBlocks ?? true,
    maxBlocksPerHost: spec?.maxBlocksPerHost ?? 0,
    cooldownSeconds: spec?.ipCooldownSeconds ?? 0,
  };
}

/** Blocks a host may own when nobody sets a limit. */
const DEFAULT_MAX_BLOCKS = 20;

export function blockLimit(settings: IpamSettings, requested = 0): number {
  const limits = [requested, settings.maxBlocksPerHost].filter((limit) => limit > 0);
  return limits.length === 0 ? DEFAULT_MAX_BLOCKS : Math.min(...limits);
}
