/** Routes as JSON, and what is said of why one is not the best. */

import { formatAddress, formatPrefix, type IpAddress } from "../../lib/index.ts";
import type {
  DecisionStep,
  ReceivedRoute,
  Refusal,
  RouteDetails,
  RouteExplanation,
  SentRoute,
  ToldPeer,
  Verdict,
  Withheld,
} from "../index.ts";
import type { RouteDocument, WhyDocument } from "./documents.ts";

type AnyRoute = Omit<SentRoute, "localPref"> &
  Partial<
    Pick<ReceivedRoute, "localPref" | "nextHops" | "peerType" | "pathId" | "stale" | "refused">
  >;

export function routeDocument(
  route: AnyRoute,
  { table, peer }: Pick<RouteDocument, "table" | "peer">,
): RouteDocument {
  const { peerType, localPref, med, originatorId, onlyToCustomer, pathId, refused } = route;
  return {
    ...{ prefix: formatPrefix(route.prefix), table, peer },
    ...(peerType && { peerType }),
    nextHop: formatAddress(route.nextHop),
    ...(route.nextHops && { nextHops: route.nextHops.map(formatAddress) }),
    ...{ asPath: route.asPath, origin: route.origin },
    ...(localPref === undefined ? {} : { localPref }),
    ...(med === undefined ? {} : { med }),
    communities: route.communities.map((one) => `${one >>> 16}:${one & 0xffff}`),
    largeCommunities: route.largeCommunities.map((parts) => parts.join(":")),
    extendedCommunities: route.extendedCommunities.map(
      (one) => `0x${one.toString(16).padStart(16, "0")}`,
    ),
    ...addressOf("originatorId", originatorId),
    clusterList: route.clusterList.map(formatAddress),
    ...(onlyToCustomer === undefined ? {} : { onlyToCustomer }),
    ...(pathId === undefined ? {} : { pathId }),
    ...(route.stale ? { stale: true } : {}),
    ...(refused && { refused }),
  };
}

function addressOf<K extends string>(key: K, address: IpAddress | undefined) {
  return (address === undefined ? {} : { [key]: formatAddress(address) }) as { [P in K]?: string };
}

export function whyDocument(explanation: RouteExplanation): WhyDocument {
  const { prefix, originated, paths, told } = explanation;
  return {
    prefix: formatPrefix(prefix),
    originated,
    paths: paths.map(({ route, verdict }) => ({
      ...routeDocument(route, { table: "in", peer: route.peer }),
      ...verdictOf(verdict, route),
    })),
    told: told.flatMap(({ peer, withheld }) => (withheld ? [] : [peer])),
    withheld: withheldOf(told),
  };
}

/** A mesh has many peers that are not told for one reason. */
function withheldOf(told: readonly ToldPeer[]): WhyDocument["withheld"] {
  const groups = new Map<string, { by: Withheld["by"]; words: string; peers: string[] }>();
  for (const { peer, withheld } of told) {
    if (withheld === undefined) continue;
    const { by, rule } = withheld;
    const words = `${withheldWords[by]}${ruleText(rule)}`;
    const group = groups.get(words) ?? { by, words, peers: [] };
    group.peers.push(peer);
    groups.set(words, group);
  }
  return [...groups.values()];
}

const ruleText = (rule: number | undefined) => (rule === undefined ? "" : `: rule ${rule + 1}`);

type Said = Pick<WhyDocument["paths"][number], "verdict" | "by" | "words">;

function verdictOf(verdict: Verdict, route: RouteDetails): Said {
  switch (verdict.kind) {
    case "best":
      return { verdict: "best", words: "the best" };
    case "equal":
      return { verdict: "used", words: "as good as the best, and used with it" };
    case "refused": {
      const words = `${refusals[verdict.refusal]}${ruleText(verdict.rule)}`;
      return { verdict: "refused", by: verdict.refusal, words };
    }
    case "lost": {
      const { step, value, otherValue, to } = verdict;
      const than = `${value}, and that from ${to} has ${otherValue}`;
      const what = step === "external" ? `learned by ${route.peerType}` : `${steps[step]} ${than}`;
      return { verdict: "lost", by: step, words: what };
    }
  }
}

const refusals: Readonly<Record<Refusal, string>> = {
  "as-loop": "our AS stands in its AS path too often",
  "own-next-hop": "its next hop is our own end of the session",
  "own-originator": "we brought it into the AS ourselves (ORIGINATOR_ID)",
  "cluster-loop": "our cluster stands in its CLUSTER_LIST",
  "role-leak": "by the roles of both sides it should not have been told to us (RFC 9234)",
  "import-policy": "rejected by the import policy",
};

const steps: Readonly<Record<Exclude<DecisionStep, "external">, string>> = {
  "long-lived-stale": "kept for a peer long away (LLGR_STALE):",
  "local-pref": "lower LOCAL_PREF:",
  "as-path-length": "longer AS path:",
  origin: "worse ORIGIN:",
  med: "higher MED among paths from the same AS:",
  "router-id": "higher router id:",
  "cluster-list-length": "longer CLUSTER_LIST:",
  "peer-address": "higher address of the peer:",
  "path-id": "higher path identifier:",
};

const withheldWords: Readonly<Record<Withheld["by"], string>> = {
  "no-session": "no session",
  family: "the session does not carry its family",
  own: "learned from it",
  internal:
    "learned from an internal peer, and neither side is a route reflection client (RFC 4456)",
  originator: "it brought it into the AS itself (ORIGINATOR_ID)",
  community: "one of its communities forbids it (no-export, no-export-subconfed, no-advertise)",
  role: "forbidden by the roles of both sides (RFC 9234)",
  "long-lived-stale": "kept for a peer long away, and this one does not know of that (RFC 9494)",
  "next-hop":
    "our end of the session has no address of its family to be the next hop; its export policy can set one",
  "export-policy": "rejected by the export policy",
  waiting: "about to be told",
};
