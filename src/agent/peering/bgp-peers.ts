/**
 * The sessions that BGPPeers make for a node: those in which they name it as the one who peers, those with its pods, and
 * those in which they name it as the peer, which it answers.
 */

import type { PeerConfig } from "../../bgp/index.ts";
import { localPeerings } from "../../facts/index.ts";
import { type Family, familyOf } from "../../lib/index.ts";
import type { BGPPeer } from "../../model/index.ts";
import { explicitPeers, namedFamilies } from "./explicit-peers.ts";
import type { Filters } from "./filters.ts";
import { localAddress, type Peerings } from "./local.ts";
import { localWorkloadPeer } from "./local-workloads.ts";
import { nodePeers } from "./node-peers.ts";
import type { PeerBook, PeeringType } from "./peer-book.ts";
import { withPeerFields } from "./peer-fields.ts";
import { isGlobal, nodeMatcher, selectorMatcher } from "./selection.ts";
import { type SecretReader, sessionOptions } from "./session-options.ts";

interface BgpPeersInput extends Peerings {
  readonly filters: Filters;
  readonly secret: SecretReader;
}

export function addBgpPeers(book: PeerBook, input: BgpPeersInput): void {
  const { view, local, problems, filters } = input;
  const add = (peer: BGPPeer, configs: readonly PeerConfig[], type: PeeringType) => {
    if (configs.length === 0) return;
    const { spec } = peer;
    const object = `BGPPeer ${peer.metadata.name}`;
    const session = sessionOptions(spec, { object, secret: input.secret, problems });
    for (const config of configs) {
      book.add({ ...withPeerFields(config, spec, local.as), ...session }, type);
    }
  };
  const filtersOf = (peer: BGPPeer) => (family: Family) => filters.of(peer, family);
  // A global peering suppresses a node-specific one to the same address.
  const byRank = [...view.bgpPeers].sort((a, b) => Number(isGlobal(b)) - Number(isGlobal(a)));
  for (const peer of byRank) {
    if (!nodeMatcher(peer, problems)(local.node)) continue;
    const configs = explicitPeers({ ...input, peer, filters: filtersOf(peer) });
    add(peer, configs, isGlobal(peer) ? "global" : "node specific");
    const pods = peer.spec.localWorkloadSelector;
    // Said here; where pods are selected a bad one selects nothing.
    if (pods) selectorMatcher(pods, peer.metadata.name, problems);
  }
  for (const peering of localPeerings(view, local.node.metadata.name)) {
    // As with other peers, none of a family that the node does not have.
    if (localAddress(local, peering.address) === undefined) continue;
    const policies = filters.of(peering.peer, familyOf(peering.address));
    book.add(localWorkloadPeer(peering, input, policies), "local workload");
  }
  // Whoever names this node is to be answered by it; what the node is told itself goes before.
  for (const peer of view.bgpPeers) {
    const families = answeredFamilies(peer, input);
    if (families.length === 0) continue;
    const ends = view.nodes.filter(nodeMatcher(peer, []));
    const configs = ends.flatMap((node) =>
      nodePeers({ ...input, kind: "Node", node, filters: filtersOf(peer) }),
    );
    const wanted = configs.filter(({ address }) => families.includes(familyOf(address)));
    add(peer, wanted, "node specific");
  }
}

/** In which this node is the other end of a peering between nodes that is not to be configured by hand. */
function answeredFamilies({ metadata, spec }: BGPPeer, input: Peerings): readonly Family[] {
  if (spec.reversePeering === "Manual") return [];
  const { node } = input.local;
  if (spec.peerSelector) {
    return selectorMatcher(spec.peerSelector, metadata.name, [])(node) ? [4, 6] : [];
  }
  return namedFamilies(spec, node, input);
}
