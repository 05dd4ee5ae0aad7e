/** Filters between those who are to learn of the pool's blocks and the nodes that have them. */

import { parsePeerAddress } from "../../../facts/index.ts";
import type { BGPPeer } from "../../../model/index.ts";
import { subnetOf } from "../context.ts";
import { refusingRule } from "../filter-verdict.ts";
import { peersOf } from "../peers-of.ts";
import type { Finding, TrapContext, TrapKind } from "../types.ts";
import { listed, nodesListed } from "../words.ts";

const DEFAULT_BLOCK_LENGTHS = { 4: 26, 6: 122 } as const;

export const bgpFilterRefuses: TrapKind = {
  code: "BGP_FILTER_REFUSES_POOL",
  meaning:
    "A BGPFilter refuses every block of the pool to, or from, a peer that has to know them: routers in mode `none` with several subnets, any peer where the mesh is off.",
  remedy:
    "Give the filter a rule before that one that accepts the pool (`cidr`, `matchOperator: In`), or take it from the peer.",
  find: (context) => {
    if (!context.needsBgp || !context.cidr) return [];
    const subnets = new Set(context.nodes.flatMap((node) => subnetOf(context, node) ?? []));
    const plainly = context.to === "none" && subnets.size > 1;
    if (context.mesh && !plainly) return [];
    const refusals = context.view.bgpPeers.flatMap((peer) => {
      const why = matters(context, peer) ? refusal(context, peer) : undefined;
      return why === undefined ? [] : [{ peer, why }];
    });
    if (refusals.length === 0) return [];
    const refused = new Set(refusals.map(({ peer }) => peer));
    const cut: string[] = [];
    const partly: string[] = [];
    for (const { name, node } of context.nodes) {
      const peers = peersOf(context, node).filter((peer) => matters(context, peer));
      const without = peers.filter((peer) => refused.has(peer));
      if (without.length === 0) continue;
      if (without.length === peers.length) cut.push(name);
      // In a tunnel routers need not know, as long as somebody tells the other nodes.
      else if (plainly) partly.push(name);
    }
    const why = listed(
      refusals.map(({ peer, why }) => `BGPPeer ${peer.metadata.name}: ${why}`),
      2,
    );
    const finding = (names: string[], severity: Finding["severity"], whom: string): Finding[] =>
      names.length === 0
        ? []
        : [
            {
              severity,
              nodes: names,
              message: `${nodesListed(names)}: ${whom} of blocks of the pool (${why})`,
            },
          ];
    return [
      ...finding(cut, "refuse", "no BGP peer learns or tells"),
      ...finding(partly, "warn", "some BGP peers do not learn or tell"),
    ];
  },
};

/** With the mesh it is routers that have to be told, by an address that is no node's. */
function matters({ mesh, nodes }: TrapContext, { spec }: BGPPeer): boolean {
  if (!mesh) return true;
  const address = parsePeerAddress(spec.peerIP ?? "")?.address;
  const isNode = nodes.some(
    ({ addresses }) => addresses.ipv4?.address === address || addresses.ipv6?.address === address,
  );
  return address !== undefined && !isNode;
}

function refusal(context: TrapContext, { spec }: BGPPeer): string | undefined {
  const { cidr, pool, mesh, family } = context;
  if (!cidr) return undefined;
  const blockLength = pool?.spec.blockSize ?? DEFAULT_BLOCK_LENGTHS[family];
  const names = spec.filters ?? [];
  const directions = mesh ? (["export"] as const) : (["export", "import"] as const);
  for (const direction of directions) {
    const of = { cidr, blockLength, direction };
    const rule = refusingRule(names, context.view.bgpFilters, of);
    if (rule !== undefined) return rule;
  }
  return undefined;
}
