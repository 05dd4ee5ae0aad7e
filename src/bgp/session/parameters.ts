/** What a session needs to know of the configuration, and the OPEN it makes of it. */

import type { IpAddress, Ipv4 } from "../../lib/index.ts";
import type { AddressFamily, Role } from "../types.ts";
import { afiSafiOf, type Capability, type Open } from "../wire/index.ts";

export interface SessionParameters {
  readonly address: IpAddress;
  readonly port: number;
  readonly localAddress?: IpAddress;
  readonly device?: string;
  readonly ttl: number;
  readonly minimumTtl?: number;
  readonly passive: boolean;
  readonly localAs: number;
  readonly allowedLocalAs: number;
  readonly routerId: Ipv4;
  readonly clusterId: Ipv4;
  readonly remoteAs: number;
  readonly holdTimeSeconds: number;
  readonly keepaliveSeconds?: number;
  readonly connectRetrySeconds: number;
  readonly delayOpenSeconds?: number;
  readonly families: readonly AddressFamily[];
  readonly extendedNextHop: boolean;
  readonly role?: Role;
  readonly strictRole: boolean;
  /** Advertised; RFC 9494 section 3. */
  readonly longLivedStaleTimeSeconds?: number;
  readonly longLivedFamilies?: readonly AddressFamily[];
  readonly addPathReceive?: boolean;
  readonly addPathSend?: boolean;
  /** Advertised; RFC 4724 section 3. */
  readonly restartTimeSeconds: number;
  /** Not configured: the peer has refused an OPEN for having capabilities (RFC 5492 section 3). */
  readonly withoutCapabilities?: true;
}

/** All but IPv4 needs capabilities (RFC 4760 section 8). */
export function canDoWithoutCapabilities({ families }: SessionParameters): boolean {
  return families.includes("ipv4-unicast");
}

const ipv4OverIpv6: Capability = {
  kind: "extended-next-hop",
  entries: [{ ...afiSafiOf("ipv4-unicast"), nextHopAfi: afiSafiOf("ipv6-unicast").afi }],
};

/**
 * `restarted` is the R bit: the speaker has started and this is its first session with the peer. The
 * F bits are always set: who embeds this speaker keeps forwarding while it is away.
 */
export function localOpen(parameters: SessionParameters, restarted: boolean): Open {
  const families = parameters.families.map(afiSafiOf);
  const { role, extendedNextHop } = parameters;
  const external = parameters.localAs !== parameters.remoteAs;
  const capabilities: Capability[] = [
    ...(extendedNextHop ? [ipv4OverIpv6] : []),
    // RFC 9234 section 4: between ASes only.
    ...(role !== undefined && external ? [{ kind: "role" as const, role }] : []),
    ...addPath(parameters),
    ...families.map((family) => ({ kind: "multiprotocol" as const, ...family })),
    { kind: "route-refresh" },
    { kind: "enhanced-route-refresh" },
    { kind: "extended-message" },
    {
      kind: "graceful-restart",
      restarted,
      notification: true,
      restartTimeSeconds: parameters.restartTimeSeconds,
      families: families.map((family) => ({ ...family, forwarding: true })),
    },
    ...longLivedRestart(parameters),
    { kind: "four-octet-as", as: parameters.localAs },
  ];
  return {
    kind: "open",
    as: parameters.localAs,
    holdTimeSeconds: parameters.holdTimeSeconds,
    routerId: parameters.routerId,
    capabilities: parameters.withoutCapabilities ? [] : capabilities,
  };
}

function addPath({ families, addPathReceive, addPathSend }: SessionParameters): Capability[] {
  if (!addPathReceive && !addPathSend) return [];
  const oneWay = addPathReceive ? "receive" : "send";
  const mode = addPathReceive && addPathSend ? "both" : oneWay;
  return [{ kind: "add-path", entries: families.map((each) => ({ ...afiSafiOf(each), mode })) }];
}

function longLivedRestart(parameters: SessionParameters): Capability[] {
  const { longLivedFamilies = [], longLivedStaleTimeSeconds: staleTimeSeconds } = parameters;
  if (staleTimeSeconds === undefined || longLivedFamilies.length === 0) return [];
  const kept = longLivedFamilies.map((each) => ({
    ...afiSafiOf(each),
    ...{ forwarding: true, staleTimeSeconds },
  }));
  return [{ kind: "long-lived-graceful-restart", families: kept }];
}
