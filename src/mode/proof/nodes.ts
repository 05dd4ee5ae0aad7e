/** Which nodes take part in a proof, where they are, and what packets between them wear in the new mode. */

import {
  type Family,
  formatPrefix,
  maskPrefix,
  type Prefix,
  parseIpv4,
  parsePrefixOrAddress,
  prefixContains,
} from "../../lib/index.ts";
import {
  type Encapsulation,
  type ModeName,
  modeFields,
  type Node,
  type NodeMode,
} from "../../model/index.ts";
import type { ProofNode } from "./pairs.ts";

/** With its address as it is stored: the same for everybody who computes pairs. */
export interface ProvingNode extends ProofNode {
  readonly address: Prefix;
}

/** Nodes with an agent of ours and an address of this family, by name. */
export function proofNodes(
  nodes: readonly Node[],
  nodeModes: readonly NodeMode[],
  family: Family,
): ReadonlyMap<string, ProvingNode> {
  const withAgent = new Set(
    nodeModes.flatMap(({ metadata, status }) => (status ? [metadata.name] : [])),
  );
  const proving = new Map<string, ProvingNode>();
  for (const { metadata, spec } of nodes) {
    const { name } = metadata;
    const stored = family === 4 ? spec.bgp?.ipv4Address : spec.bgp?.ipv6Address;
    const address = stored === undefined ? undefined : parsePrefixOrAddress(stored);
    if (!withAgent.has(name) || !address) continue;
    proving.set(name, { name, address, subnet: formatPrefix(maskPrefix(address)) });
  }
  return proving;
}

/** Family of what is proved: that of the probe addresses; 4 while there are none. */
export function proofFamily(nodeModes: readonly NodeMode[]): Family {
  const addresses = nodeModes.flatMap(({ status }) => status?.probeAddress ?? []);
  return addresses.length === 0 || addresses.some((text) => parseIpv4(text) !== undefined) ? 4 : 6;
}

export function wornBetween(to: ModeName, from: ProvingNode, partner: ProvingNode): Encapsulation {
  const { ipipMode, vxlanMode } = modeFields(to);
  const tunnel = vxlanMode === "Never" ? ipipMode : vxlanMode;
  const { address } = partner.address;
  if (tunnel === "Never" || (tunnel === "CrossSubnet" && prefixContains(from.address, address))) {
    return "none";
  }
  if (vxlanMode === "Never") return "ipip";
  return typeof address === "number" ? "vxlan" : "vxlan-v6";
}
