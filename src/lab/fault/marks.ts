/**
 * Meaning of a packet's mark within the router's namespace; none crosses to another. Bits 0 to 7 are the
 * number of the port it came in by (0: from the router itself), 8 to 15 that of the port it leaves by, known
 * while it is led aside. Bits of the BPF programs are in bpf/fault.bpf.c, too.
 */

import type { Topology } from "../topology.ts";
import { portsOf } from "./place.ts";

/** Has been led aside already. */
const RETURNED = 0x1_0000;
/** Its unfinished checksum is to be spoiled. */
const BAD_CHECKSUM = 0x2_0000;
/** Was spoiled. */
const SPOILED = 0x4_0000;
/** Its inner checksum was not finished when it came in. */
const UNFINISHED = 0x8_0000;

export const markBits = { RETURNED, BAD_CHECKSUM, SPOILED, UNFINISHED } as const;

/** Number of a port, from one. */
export function numberOf(port: string, topology: Topology): number {
  return portsOf(topology).indexOf(port) + 1;
}

export function exitOf(port: string, topology: Topology): number {
  return numberOf(port, topology) << 8;
}

/** nft's word for a set of numbers. */
export function hexSet(values: readonly number[]): string {
  return `{ ${values.map(hex).join(", ")} }`;
}

export function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
