/** What two OPENs agree on (RFC 4271 sections 4.2 and 6.2, RFC 5492), or the NOTIFICATION that says why not. */

import { formatAddress, type Ipv4 } from "../../lib/index.ts";
import type { AddressFamily, Role } from "../types.ts";
import {
  afiSafiOf,
  concatBytes,
  encodeCapability,
  familyFrom,
  familyName,
  type Open,
  ProtocolError,
} from "../wire/index.ts";
import type { SessionParameters } from "./parameters.ts";

export interface Negotiated {
  readonly peerType: "ibgp" | "ebgp";
  readonly peerRouterId: Ipv4;
  /** 0: neither hold timer nor keepalives. */
  readonly holdTimeSeconds: number;
  readonly keepaliveSeconds: number;
  readonly families: readonly AddressFamily[];
  readonly fourOctetAs: boolean;
  readonly routeRefresh: boolean;
  readonly enhancedRouteRefresh: boolean;
  readonly extendedMessage: boolean;
  /** IPv4 NLRI may come and go with IPv6 next hops (RFC 8950). */
  readonly extendedNextHop: boolean;
  /** Families whose NLRI come, and go, with path identifiers (RFC 7911). */
  readonly addPathReceive: readonly AddressFamily[];
  readonly addPathSend: readonly AddressFamily[];
  /** Absent when the peer did not announce it. */
  readonly gracefulRestart?: {
    readonly restarted: boolean;
    readonly restartTimeSeconds: number;
    /** Routes are kept after a NOTIFICATION too, unless it is a hard reset (RFC 8538). */
    readonly notification: boolean;
    /** Families whose routes are kept while the peer restarts. */
    readonly families: readonly AddressFamily[];
    /** Of these, families for which it says that it kept forwarding (F bit). */
    readonly forwarding: readonly AddressFamily[];
  };
  /** RFC 9494 section 3; absent when the peer did not announce it together with graceful restart. */
  readonly longLivedRestart?: readonly {
    readonly family: AddressFamily;
    /** It says that it kept forwarding. */
    readonly forwarding: boolean;
    readonly staleTimeSeconds: number;
  }[];
}

/** @throws ProtocolError with the NOTIFICATION to send */
export function negotiate(received: Open, parameters: SessionParameters): Negotiated {
  // What one side alone told is not agreed on.
  const open = parameters.withoutCapabilities ? { ...received, capabilities: [] } : received;
  if (open.as !== parameters.remoteAs) {
    throw new ProtocolError(
      "badPeerAs",
      `AS ${open.as} where ${parameters.remoteAs} is configured`,
    );
  }
  const peerType = open.as === parameters.localAs ? "ibgp" : "ebgp";
  // RFC 6286 section 2.1: identifiers are unique inside an AS.
  if (peerType === "ibgp" && open.routerId === parameters.routerId) {
    throw new ProtocolError(
      "badIdentifier",
      `the peer's identifier is our own, ${formatAddress(open.routerId)}`,
    );
  }
  if (peerType === "ebgp") checkRole(open, parameters);
  const holdTimeSeconds = Math.min(open.holdTimeSeconds, parameters.holdTimeSeconds);
  const third = Math.max(1, Math.floor(holdTimeSeconds / 3));
  const has = (kind: Open["capabilities"][number]["kind"]) =>
    open.capabilities.some((capability) => capability.kind === kind);
  const families = commonFamilies(open, parameters);
  return {
    peerType,
    peerRouterId: open.routerId,
    holdTimeSeconds,
    keepaliveSeconds:
      holdTimeSeconds === 0 ? 0 : Math.min(third, parameters.keepaliveSeconds ?? third),
    families,
    fourOctetAs: has("four-octet-as"),
    routeRefresh: has("route-refresh"),
    enhancedRouteRefresh: has("enhanced-route-refresh") && has("route-refresh"),
    extendedMessage: has("extended-message"),
    extendedNextHop: parameters.extendedNextHop && offersIpv4OverIpv6(open),
    addPathReceive: parameters.addPathReceive ? addPath(open, families, "send") : [],
    addPathSend: parameters.addPathSend ? addPath(open, families, "receive") : [],
    ...gracefulRestart(open, families),
    ...longLivedRestart(open, families),
  };
}

const counterpart: Readonly<Record<Role, Role>> = {
  provider: "customer",
  customer: "provider",
  rs: "rs-client",
  "rs-client": "rs",
  peer: "peer",
};

/** RFC 9234 section 4.2. */
function checkRole(open: Open, { role, strictRole }: SessionParameters): void {
  if (role === undefined) return;
  const told = new Set(
    open.capabilities.flatMap((item) => (item.kind === "role" ? [item.role] : [])),
  );
  if (told.size === 0 && !strictRole) return;
  if (told.size === 1 && told.has(counterpart[role])) return;
  const found = told.size === 0 ? "no role" : `the role ${[...told].join(" and ")}`;
  throw new ProtocolError("roleMismatch", `the peer tells ${found} where we are ${role}`);
}

function offersIpv4OverIpv6(open: Open): boolean {
  return open.capabilities.some(
    (item) =>
      item.kind === "extended-next-hop" &&
      item.entries.some(
        (entry) => familyFrom(entry) === "ipv4-unicast" && entry.nextHopAfi === IPV6_AFI,
      ),
  );
}

/** Families for which the peer does this half of it. */
function addPath(
  open: Open,
  carried: readonly AddressFamily[],
  half: "send" | "receive",
): readonly AddressFamily[] {
  const told = open.capabilities.flatMap((item) => (item.kind === "add-path" ? item.entries : []));
  return carried.filter((family) => {
    // Of several for one family the last counts.
    const mode = told.findLast((entry) => familyFrom(entry) === family)?.mode;
    return mode === half || mode === "both";
  });
}

const IPV6_AFI = afiSafiOf("ipv6-unicast").afi;

function commonFamilies(open: Open, parameters: SessionParameters): readonly AddressFamily[] {
  const offered = open.capabilities.filter((item) => item.kind === "multiprotocol");
  // RFC 4760 section 8: a peer that announces none speaks IPv4 unicast.
  const theirs = offered.length === 0 ? ["ipv4-unicast"] : offered.map(familyFrom);
  const common = parameters.families.filter((family) => theirs.includes(family));
  if (common.length === 0) {
    const told = offered.length === 0 ? theirs : offered.map(familyName);
    const wanted = parameters.families.map((family) =>
      encodeCapability({ kind: "multiprotocol", ...afiSafiOf(family) }),
    );
    throw new ProtocolError(
      "unsupportedCapability",
      `the peer carries ${told.join(", ")}, and none of ${parameters.families.join(", ")}`,
      concatBytes(wanted),
    );
  }
  return common;
}

function gracefulRestart(
  open: Open,
  carried: readonly AddressFamily[],
): Pick<Negotiated, "gracefulRestart"> {
  // RFC 4724 section 3: of several, the last counts.
  const capability = open.capabilities.findLast(({ kind }) => kind === "graceful-restart");
  if (capability?.kind !== "graceful-restart") return {};
  const families = carried.filter((family) =>
    capability.families.some((entry) => familyFrom(entry) === family),
  );
  const forwarding = families.filter((family) =>
    capability.families.some((entry) => familyFrom(entry) === family && entry.forwarding),
  );
  return {
    gracefulRestart: {
      restarted: capability.restarted,
      notification: capability.notification,
      restartTimeSeconds: capability.restartTimeSeconds,
      families,
      forwarding,
    },
  };
}

function longLivedRestart(
  open: Open,
  carried: readonly AddressFamily[],
): Pick<Negotiated, "longLivedRestart"> {
  const capability = open.capabilities.findLast(
    ({ kind }) => kind === "long-lived-graceful-restart",
  );
  // RFC 9494 section 4.1: without graceful restart it counts for nothing.
  const graceful = open.capabilities.some(({ kind }) => kind === "graceful-restart");
  if (capability?.kind !== "long-lived-graceful-restart" || !graceful) return {};
  const longLivedRestart = carried.flatMap((family) => {
    const entry = capability.families.findLast((each) => familyFrom(each) === family);
    if (entry === undefined) return [];
    const { forwarding, staleTimeSeconds } = entry;
    return [{ family, forwarding, staleTimeSeconds }];
  });
  return { longLivedRestart };
}
