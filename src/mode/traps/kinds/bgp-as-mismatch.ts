/** A peer that is configured with another AS than it has refuses the session (RFC 4271 section 6.2). */

import { effectiveSpec } from "../../../facts/index.ts";
import { formatAddress, type IpAddress, parseAddress } from "../../../lib/index.ts";
import type { TrapContext, TrapKind } from "../types.ts";
import { listed, nodesListed } from "../words.ts";

const DEFAULT_AS = 64512;

export const bgpAsMismatch: TrapKind = {
  code: "BGP_AS_MISMATCH",
  meaning:
    "A peer has another AS number than is configured for it, so that no session comes about.",
  remedy:
    "Make asNumber of the BGPPeer, of the Node or of the BGPConfiguration `default` what the peer has.",
  find: (context) => {
    if (!context.needsBgp) return [];
    const stored = storedMismatches(context);
    // What the peers answered is known even where no resource tells of their AS.
    const refused = context.nodes.filter(({ host }) =>
      host?.bgp?.peers.some(
        ({ state, reason }) => state !== "Established" && /Bad Peer AS/.test(reason ?? ""),
      ),
    );
    const names = refused.map(({ name }) => name);
    return [
      ...stored.map((message) => ({ severity: "refuse" as const, message, nodes: [] })),
      ...(names.length > 0
        ? [
            {
              severity: "refuse" as const,
              message: `${nodesListed(names)}: a BGP peer answers that the AS is wrong (${listed(refusals(refused))})`,
              nodes: names,
            },
          ]
        : []),
    ];
  },
};

function refusals(nodes: TrapContext["nodes"]): string[] {
  const all = nodes.flatMap(({ host }) =>
    (host?.bgp?.peers ?? []).flatMap(({ address, reason }) =>
      /Bad Peer AS/.test(reason ?? "") ? [`${address}: ${reason}`] : [],
    ),
  );
  return [...new Set(all)];
}

/** BGPPeers whose peerIP is a node of this cluster. */
function storedMismatches({ view, nodes }: TrapContext): string[] {
  const globalAs = Number(effectiveSpec(view.bgpConfigurations, "").asNumber || DEFAULT_AS);
  const byAddress = new Map<IpAddress, { readonly name: string; readonly as: number }>();
  for (const { name, node, addresses } of nodes) {
    const as = Number(node.spec.bgp?.asNumber || globalAs);
    for (const prefix of [addresses.ipv4, addresses.ipv6]) {
      if (prefix) byAddress.set(prefix.address, { name, as });
    }
  }
  return view.bgpPeers.flatMap(({ metadata, spec }) => {
    const address = parseAddress(spec.peerIP ?? "");
    const peer = address === undefined ? undefined : byAddress.get(address);
    const as = Number(spec.asNumber || globalAs);
    if (address === undefined || !peer || peer.as === as) return [];
    return [
      `BGPPeer ${metadata.name} expects AS ${as} at ${formatAddress(address)}, where node ${peer.name} has AS ${peer.as}`,
    ];
  });
}
