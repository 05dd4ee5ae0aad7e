/** Multicast messages of rtnetlink as events. */

import { decodeAddress } from "./address.ts";
import {
  AF_BRIDGE,
  AF_INET,
  AF_INET6,
  RTM_DELADDR,
  RTM_DELLINK,
  RTM_DELNEIGH,
  RTM_DELNEXTHOP,
  RTM_DELNSID,
  RTM_DELROUTE,
  RTM_DELRULE,
  RTM_NEWADDR,
  RTM_NEWLINK,
  RTM_NEWNEIGH,
  RTM_NEWNEXTHOP,
  RTM_NEWNSID,
  RTM_NEWROUTE,
  RTM_NEWRULE,
} from "./constants.ts";
import { decodeFdbEntry } from "./fdb.ts";
import { decodeLink } from "./link.ts";
import type { Message } from "./message.ts";
import { decodeNeighbour } from "./neighbour.ts";
import { decodeNetnsId } from "./netns-id.ts";
import { decodeNextHopObject } from "./next-hop-object.ts";
import { decodeRoute, isCloned } from "./route.ts";
import { decodeRule } from "./rule.ts";
import type { EventGroup, NetlinkEvent } from "./types.ts";

/** RTNLGRP_*. */
export const eventGroups: Readonly<Record<EventGroup, number>> = {
  link: 1,
  neighbour: 3,
  "ipv4-address": 5,
  "ipv4-route": 7,
  "ipv4-rule": 8,
  "ipv6-address": 9,
  "ipv6-route": 11,
  "ipv6-rule": 19,
  "netns-id": 28,
  "next-hop": 32,
};

/**
 * `undefined` for messages that are of no use here: other types, other families (a bridge's view of its
 * ports comes as RTM_NEWLINK of AF_BRIDGE), cached routes. @throws NETLINK_MALFORMED.
 */
export function decodeEvent(message: Message): NetlinkEvent | undefined {
  const { type, view, start, end } = message;
  const family = start < end ? view.getUint8(start) : 0;
  const ip = family === AF_INET || family === AF_INET6;
  switch (type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      if (family === AF_BRIDGE) return undefined;
      return { kind: "link", removed: type === RTM_DELLINK, link: decodeLink(message) };
    case RTM_NEWADDR:
    case RTM_DELADDR:
      if (!ip) return undefined;
      return { kind: "address", removed: type === RTM_DELADDR, address: decodeAddress(message) };
    case RTM_NEWROUTE:
    case RTM_DELROUTE: {
      if (!ip) return undefined;
      const route = decodeRoute(message);
      return isCloned(message)
        ? undefined
        : { kind: "route", removed: type === RTM_DELROUTE, route };
    }
    case RTM_NEWRULE:
    case RTM_DELRULE:
      if (!ip) return undefined;
      return { kind: "rule", removed: type === RTM_DELRULE, rule: decodeRule(message) };
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH:
      if (family === AF_BRIDGE) {
        return { kind: "fdb", removed: type === RTM_DELNEIGH, entry: decodeFdbEntry(message) };
      }
      if (!ip) return undefined;
      return {
        kind: "neighbour",
        removed: type === RTM_DELNEIGH,
        neighbour: decodeNeighbour(message),
      };
    case RTM_NEWNEXTHOP:
    case RTM_DELNEXTHOP:
      return {
        kind: "next-hop",
        removed: type === RTM_DELNEXTHOP,
        nextHop: decodeNextHopObject(message),
      };
    case RTM_NEWNSID:
    case RTM_DELNSID:
      return {
        kind: "netns-id",
        removed: type === RTM_DELNSID,
        netnsId: decodeNetnsId(message),
      };
    default:
      return undefined;
  }
}
