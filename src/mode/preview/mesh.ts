/**
 * What a change of the node-to-node mesh would do to the sessions of every node, by what the nodes have published of
 * those they have. Pure; O(nodes), but for a mesh that comes: O(nodes x nodes).
 */

import { effectiveSpec, type NodeAddresses, nodeAddresses } from "../../facts/index.ts";
import { type IpAddress, parseAddress } from "../../lib/index.ts";
import type { Node } from "../../model/index.ts";
import { planWaves } from "../change/waves.ts";
import { expectedDuration } from "./duration.ts";
import type { MeshPreview, PreviewInput } from "./types.ts";

const MESH = "node-to-node mesh";

export function previewMesh({ spec, view, nodeHosts }: PreviewInput): MeshPreview {
  const hosts = new Map(nodeHosts.map(({ metadata, status }) => [metadata.name, status?.bgp]));
  const isOn = effectiveSpec(view.bgpConfigurations, "").nodeToNodeMeshEnabled !== false;
  const members = view.nodes.filter(({ spec: { bgp } }) => !bgp?.routeReflectorClusterID);
  const addresses = new Map(members.map((node) => [node, addressesOf(node)]));
  const nodes: MeshPreview["nodes"][number][] = [];
  const unforeseen: { node: string; why: string }[] = [];
  for (const node of view.nodes) {
    const { name } = node.metadata;
    const bgp = hosts.get(name);
    if (!bgp) {
      unforeseen.push({ node: name, why: "it has published no BGP sessions" });
      continue;
    }
    const outside = bgp.peers.filter(({ kind }) => kind !== MESH);
    const without = new Set(outside.map(({ address }) => parseAddress(address)));
    const mesh = addresses.has(node) ? sharedWith(node, addresses, without) : 0;
    const { sessions } = bgp;
    nodes.push({
      node: name,
      sessions,
      outside: outside.map(({ address, kind, state }) => ({ address, kind, state })),
      comes: spec.mesh === "on" && !isOn ? mesh : 0,
      goes: spec.mesh === "off" && isOn ? sessions - outside.length : 0,
    });
  }
  const agents = new Set(view.nodeModes.map(({ metadata }) => metadata.name));
  const obeying = view.nodes.filter(({ metadata }) => agents.has(metadata.name));
  const waves = planWaves(obeying, spec);
  const duration = expectedDuration({
    ...{ nodes: obeying.length, proof: undefined, waves, proveOnly: false },
  });
  return { nodes, unforeseen, waves, duration };
}

/** One session for each family that both have, unless a BGPPeer has made one with that address. */
function sharedWith(
  node: Node,
  addresses: ReadonlyMap<Node, NodeAddresses>,
  taken: ReadonlySet<IpAddress | undefined>,
): number {
  const own = addresses.get(node) ?? {};
  let sessions = 0;
  for (const [other, { ipv4, ipv6 }] of addresses) {
    if (other === node) continue;
    if (ipv4 && own.ipv4 && !taken.has(ipv4.address)) sessions++;
    if (ipv6 && own.ipv6 && !taken.has(ipv6.address)) sessions++;
  }
  return sessions;
}

function addressesOf(node: Node): NodeAddresses {
  try {
    return nodeAddresses(node);
  } catch {
    // Named by the traps.
    return {};
  }
}
