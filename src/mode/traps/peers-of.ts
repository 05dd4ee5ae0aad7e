/** The BGPPeers by which a node has sessions beyond itself: as the one who peers, or as the peer. Pure. */

import { effectiveSpec, parsePeerAddress } from "../../facts/index.ts";
import { type BGPPeer, type Node, parseSelector } from "../../model/index.ts";
import type { TrapContext } from "./types.ts";

const DEFAULT_AS = 64512;

type Context = Pick<TrapContext, "view" | "nodes">;

/** A selector that cannot be read selects nobody, as in the agent. */
export function peersOf(context: Context, node: Node): readonly BGPPeer[] {
  return context.view.bgpPeers.filter((peer) => {
    const { spec } = peer;
    // Pods tell of no node.
    if (spec.localWorkloadSelector) return false;
    if (spec.node ? spec.node === node.metadata.name : matches(spec.nodeSelector, node, true)) {
      return true;
    }
    return spec.reversePeering !== "Manual" && isPeer(context, peer, node);
  });
}

/** Whom it names as peers is configured likewise. */
function isPeer({ view, nodes }: Context, { spec }: BGPPeer, node: Node): boolean {
  if (spec.peerSelector) return matches(spec.peerSelector, node, false);
  const address = parsePeerAddress(spec.peerIP ?? "")?.address;
  const named = nodes.find(
    ({ addresses: { ipv4, ipv6 } }) => ipv4?.address === address || ipv6?.address === address,
  );
  if (address === undefined || named?.node !== node) return false;
  const globalAs = effectiveSpec(view.bgpConfigurations, "").asNumber || DEFAULT_AS;
  return Number(spec.asNumber || globalAs) === Number(node.spec.bgp?.asNumber || globalAs);
}

function matches(text: string | undefined, { metadata }: Node, whenUnset: boolean): boolean {
  if (!text) return whenUnset;
  try {
    return parseSelector(text).matches(metadata.labels ?? {});
  } catch {
    return false;
  }
}
