/**
 * The table by which proof packets, and nothing else, go: one host route to the probe address of each
 * partner, in the encapsulation that the new mode of the pool gives to that node. Rules lead there by this
 * node's own probe address and the port of the proof. No workload route has a part in it, and what the table
 * does not know is refused: a proof packet never goes the old way by mistake.
 */

import {
  type Family,
  formatPrefix,
  hostPrefix,
  type IpAddress,
  isIpv4,
  isPrefix4,
  type Prefix,
  prefix,
  prefixContains,
  prefixFamily,
} from "../lib/index.ts";
import type { Encapsulation } from "../model/index.ts";
import { IPIP_DEVICE, VXLAN_DEVICE, VXLAN6_DEVICE } from "./devices.ts";
import { wantedEncapsulation } from "./encapsulation.ts";
import { addressOf } from "./families.ts";
import { resolveNextHop } from "./next-hop.ts";
import type {
  AddressPlan,
  IpipPlan,
  NodeAddress,
  NodeFacts,
  ProofPlan,
  ProofRule,
  RoutePlan,
  Snapshot,
  VxlanPlan,
} from "./types.ts";

/** Both UDP and TCP. */
export const PROOF_PORT = 17900;
/** Of live probes (UDP): between the same addresses, but over workload routes. */
export const GUARD_PORT = 17901;
export const PROOF_TABLE = 17900;
/** Before the main table, which has 32766. */
export const PROOF_RULE_PRIORITY = 90;
/** It is an address of the host, as those that the kernel gives `lo` are, and nobody's tunnel. */
export const PROBE_DEVICE = "lo";

const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;
const EVERYTHING: Readonly<Record<Family, Prefix>> = { 4: prefix("0.0.0.0/0"), 6: prefix("::/0") };

interface Partner {
  readonly name: string;
  /** Where it is probed. */
  readonly probe: Prefix;
  readonly remote: NodeAddress;
  readonly encapsulation: Encapsulation;
}

/** Nodes that can be probed in the pool that changes. */
function partners(snapshot: Snapshot, local: NodeFacts): Partner[] {
  const { proof, nodes } = snapshot;
  if (!proof) return [];
  const family = prefixFamily(proof.pool.cidr);
  const own = addressOf(local, family);
  if (!own) return [];
  return nodes.flatMap((node): Partner[] => {
    const { name, probeAddress } = node;
    const remote = addressOf(node, family);
    if (name === local.name || !remote || probeAddress === undefined) return [];
    if (!prefixContains(proof.pool.cidr, probeAddress)) return [];
    const encapsulation = wantedEncapsulation(proof.pool, own, remote);
    return [{ name, probe: hostPrefix(probeAddress), remote, encapsulation }];
  });
}

export function planProbeAddress({ probeAddress, settings }: Snapshot): AddressPlan[] {
  if (probeAddress === undefined) return [];
  const protocol = settings.datastoreProtocol;
  return [{ device: PROBE_DEVICE, prefix: hostPrefix(probeAddress), protocol }];
}

/** Undefined while nothing is to be proved, or this node has no address to prove it from. */
export function planProof(snapshot: Snapshot, local: NodeFacts): ProofPlan | undefined {
  const { proof, probeAddress } = snapshot;
  if (!proof || probeAddress === undefined) return undefined;
  if (!prefixContains(proof.pool.cidr, probeAddress)) return undefined;
  return {
    table: PROOF_TABLE,
    rules: proofRules(probeAddress),
    routes: [
      {
        kind: "unreachable",
        destination: EVERYTHING[isIpv4(probeAddress) ? 4 : 6],
        scope: "global",
        protocol: snapshot.settings.datastoreProtocol,
        reason: "proof packets go in the new encapsulation or not at all",
      },
      ...partners(snapshot, local).flatMap((partner) => proofRoute(snapshot, partner)),
    ],
  };
}

/**
 * Of UDP, those it sends first and those it answers to what came first. TCP whatever its ports: nothing else uses
 * it from this address, and segments by a raw socket are routed without ports.
 */
function proofRules(address: IpAddress): ProofRule[] {
  const common = {
    priority: PROOF_RULE_PRIORITY,
    source: hostPrefix(address),
    table: PROOF_TABLE,
  };
  const udp = (["source", "destination"] as const).map((end) => ({
    ...{ ...common, ipProtocol: IPPROTO_UDP, end },
    port: PROOF_PORT,
  }));
  return [...udp, { ...common, ipProtocol: IPPROTO_TCP }];
}

function proofRoute({ settings, host }: Snapshot, partner: Partner): RoutePlan[] {
  const { name, probe, remote, encapsulation } = partner;
  const common = {
    kind: "unicast",
    destination: probe,
    scope: "global",
    protocol: settings.datastoreProtocol,
    reason: `proof of ${encapsulation} to ${name}`,
  } as const;
  switch (encapsulation) {
    case "ipip":
      return [{ ...common, gateway: remote.address, device: IPIP_DEVICE, onlink: true }];
    case "vxlan": {
      const vtep = remote.vxlanTunnelAddress;
      if (vtep === undefined) return [];
      return [{ ...common, gateway: vtep, device: VXLAN_DEVICE, onlink: true }];
    }
    case "vxlan-v6":
      // The kernel takes a gateway only if the main table leads to it by the same device, which it does not
      // before the move: so the address is a neighbour on the device itself (see proofNeighbours).
      return remote.vxlanTunnelAddress === undefined ? [] : [{ ...common, device: VXLAN6_DEVICE }];
    case "none": {
      const way = resolveNextHop(host.routes, remote.address);
      return way ? [{ ...common, ...way }] : [];
    }
  }
}

/** Probe addresses that are reached as neighbours on the IPv6 VXLAN device. */
export function proofNeighbours(snapshot: Snapshot, local: NodeFacts): VxlanPlan["neighbours"] {
  return partners(snapshot, local).flatMap(({ encapsulation, probe, remote }) =>
    encapsulation === "vxlan-v6" && remote.vxlanTunnelAddress !== undefined
      ? [{ address: probe.address, mac: remote.vxlanMac, node: remote.address }]
      : [],
  );
}

/** Where the BPF device finds the node of a probe address, whatever is known of its block. */
export function proofDestinations(snapshot: Snapshot, local: NodeFacts): IpipPlan["destinations"] {
  return partners(snapshot, local).flatMap(({ probe, remote, encapsulation }) => {
    const { address } = remote;
    return encapsulation === "ipip" && isPrefix4(probe) && isIpv4(address)
      ? [{ prefix: probe, node: address }]
      : [];
  });
}

/** As `ip rule show` prints it, but for the priority, which stands where `ip rule add` takes it. */
export function renderRule({ priority, source, ipProtocol, end, port, table }: ProofRule): string {
  const protocol = ipProtocol === IPPROTO_UDP ? "udp" : "tcp";
  const ports = end === undefined ? "" : ` ${end === "source" ? "sport" : "dport"} ${port}`;
  const from = formatPrefix(source);
  return `rule priority ${priority} from ${from} ipproto ${protocol}${ports} lookup ${table}`;
}
