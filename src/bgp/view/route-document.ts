/** Routes as JSON, and what is said of why one is not the best. */

import { formatAddress, formatPrefix, type IpAddress } from "../../lib/index.ts";
import type {
  DecisionStep,
  ReceivedRoute,
  Refusal,
  RouteDetails,
  RouteExplanation,
  SentRoute,
  Verdict,
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

export function whyDocument({ prefix, originated, paths }: RouteExplanation): WhyDocument {
  return {
    prefix: formatPrefix(prefix),
    originated,
    paths: paths.map(({ route, verdict }) => ({
      ...routeDocument(route, { table: "in", peer: route.peer }),
      ...verdictOf(verdict, route),
    })),
  };
}

type Said = Pick<WhyDocument["paths"][number], "verdict" | "by" | "words">;

function verdictOf(verdict: Verdict, route: RouteDetails): Said {
  switch (verdict.kind) {
    case "best":
      return { verdict: "best", words: "the best" };
    case "equal":
      return { verdict: "used", words: "as good as the best, and used with it" };
    case "refused": {
      const rule = verdict.rule === undefined ? "" : `: rule ${verdict.rule + 1}`;
      const words = `${refusals[verdict.refusal]}${rule}`;
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
