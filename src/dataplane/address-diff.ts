/** Addresses that are ours, those of our devices and those we gave others: exactly the planned ones; pure. */

import { formatPrefix, isPrefix4 } from "../lib/index.ts";
import type { LinkAddress } from "../netlink/index.ts";
import type { AddressPlan } from "../plan/index.ts";
import { type Ownership, ownsAddress } from "./ownership.ts";

export interface AddressDiffInput {
  readonly planned: readonly AddressPlan[];
  readonly ownership: Ownership;
  readonly held: readonly LinkAddress[];
  readonly deviceIndex: (name: string) => number | undefined;
  readonly deviceName: (index: number) => string | undefined;
}

export interface AddressDiff {
  readonly add: readonly LinkAddress[];
  readonly stale: readonly LinkAddress[];
  /** Planned on devices that do not exist. */
  readonly homeless: readonly AddressPlan[];
}

export function diffAddresses(input: AddressDiffInput): AddressDiff {
  const { planned, ownership, held, deviceIndex, deviceName } = input;
  const heldKeys = new Set(held.map(keyOf));
  const wanted = new Set<string>();
  const add: LinkAddress[] = [];
  const homeless: AddressPlan[] = [];
  for (const address of planned) {
    const index = deviceIndex(address.device);
    if (index === undefined) {
      homeless.push(address);
      continue;
    }
    const entry: LinkAddress = {
      index,
      prefix: address.prefix,
      scope: "global",
      // It comes from IPAM: nobody else has it, and it must be usable at once.
      ...(isPrefix4(address.prefix) ? {} : { nodad: true }),
      ...(address.protocol === undefined ? {} : { protocol: address.protocol }),
    };
    wanted.add(keyOf(entry));
    if (!heldKeys.has(keyOf(entry))) add.push(entry);
  }
  const stale = held.filter(
    (entry) =>
      // The kernel gives each device an IPv6 link-local address of its own.
      (isPrefix4(entry.prefix) || entry.scope !== "link") &&
      ownsAddress(ownership, entry, deviceName(entry.index)) &&
      !wanted.has(keyOf(entry)),
  );
  return { add, stale, homeless };
}

function keyOf(entry: LinkAddress): string {
  return `${entry.index} ${formatPrefix(entry.prefix)}`;
}
