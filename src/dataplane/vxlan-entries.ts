/**
 * Neighbours and forwarding entries of the VXLAN device, from desired and held to what must change; pure.
 * Only permanent entries are looked at, as Calico does.
 */

import type { IpAddress } from "../lib/index.ts";
import type { FdbEntry, Neighbour } from "../netlink/index.ts";
import type { VxlanPlan } from "../plan/index.ts";

export interface VxlanEntriesInput {
  readonly index: number;
  readonly wanted: VxlanPlan["neighbours"];
  readonly neighbours: readonly Neighbour[];
  readonly fdb: readonly FdbEntry[];
}

export interface VxlanEntriesDiff {
  readonly addNeighbours: readonly Neighbour[];
  readonly addFdb: readonly FdbEntry[];
  readonly staleNeighbours: readonly Neighbour[];
  readonly staleFdb: readonly FdbEntry[];
}

export function diffVxlanEntries(input: VxlanEntriesInput): VxlanEntriesDiff {
  const { index, wanted, neighbours, fdb } = input;
  const heldMacs = new Map(neighbours.map((entry) => [entry.address, entry.mac]));
  const heldFdb = new Set(fdb.map(({ mac, destination }) => `${mac} ${destination}`));
  const isHeld = (mac: string, node: IpAddress) => heldFdb.has(`${mac} ${node}`);
  const addresses = new Set<IpAddress>(wanted.map((entry) => entry.address));
  const nodes = new Map<string, IpAddress>(wanted.map((entry) => [entry.mac, entry.node]));
  return {
    addNeighbours: wanted
      .filter((entry) => heldMacs.get(entry.address) !== entry.mac)
      .map(({ address, mac }) => ({ index, address, mac, state: "permanent" })),
    addFdb: [...nodes]
      .filter(([mac, node]) => !isHeld(mac, node))
      .map(([mac, node]) => ({ index, mac, destination: node, state: "permanent" })),
    staleNeighbours: neighbours.filter((entry) => !addresses.has(entry.address)),
    staleFdb: fdb.filter(({ mac, destination }) => {
      // Entries without a remote endpoint are the kernel's own (the device's default destination).
      if (destination === undefined) return false;
      const node = nodes.get(mac);
      // One that leads elsewhere is replaced, unless the right one stands beside it.
      return node === undefined || (node !== destination && isHeld(mac, node));
    }),
  };
}

/** Stale entries that routes still need: those towards `gateways` stay. */
export function unneeded(
  diff: Pick<VxlanEntriesDiff, "staleNeighbours" | "staleFdb">,
  gateways: ReadonlySet<IpAddress>,
): Pick<VxlanEntriesDiff, "staleNeighbours" | "staleFdb"> {
  const needed = diff.staleNeighbours.filter((entry) => gateways.has(entry.address));
  const macs = new Set(needed.map((entry) => entry.mac));
  return {
    staleNeighbours: diff.staleNeighbours.filter((entry) => !gateways.has(entry.address)),
    staleFdb: diff.staleFdb.filter((entry) => !macs.has(entry.mac)),
  };
}
