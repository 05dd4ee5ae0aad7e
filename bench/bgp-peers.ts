/** Who the subject's peers are in a case of the BGP benchmark: their addresses and AS numbers. Pure. */

import type { AddressFamily } from "../src/bgp/index.ts";
import type { BgpCase } from "./bgp-cases.ts";

export const SUBJECT_AS = 65000;
const FIRST_FEEDER_AS = 65001;

/** By its BGP identifier, from which its addresses follow. */
export interface BenchPeer {
  readonly identifier: string;
  readonly as: number;
}

export const SUBJECT: BenchPeer = { identifier: "10.99.0.1", as: SUBJECT_AS };
/** Announces nothing, and is told everything. */
export const RECEIVER: BenchPeer = { identifier: "10.99.0.2", as: 65500 };
/** Speaks only the family that nobody has routes of: what it hears is keepalives. */
export const QUIET: BenchPeer = { identifier: "10.99.0.3", as: 65501 };
export const QUIET_HOLD_SECONDS = 3;
export const QUIET_KEEPALIVE_SECONDS = 1;

export function feederOf({ shape }: BgpCase, feeder: number): BenchPeer {
  return {
    identifier: `10.99.${1 + Math.floor(feeder / 250)}.${1 + (feeder % 250)}`,
    as: shape === "fabric" ? FIRST_FEEDER_AS + feeder : SUBJECT_AS,
  };
}

/** Sessions run over the family that they carry. */
export function addressOf({ identifier }: BenchPeer, family: AddressFamily): string {
  const [, , high, low] = identifier.split(".").map(Number);
  return family === "ipv4-unicast" ? identifier : `fd99::${high! + 1}:${low}`;
}

/** The quiet session runs over IPv4 in all cases. */
export function quietFamily({ family }: BgpCase): AddressFamily {
  return family === "ipv4-unicast" ? "ipv6-unicast" : "ipv4-unicast";
}
