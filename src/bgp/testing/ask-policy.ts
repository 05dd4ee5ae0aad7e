/** What a policy makes of one route, in words: for the tests of those who write policies. */

import { formatAddress, ipAddress, prefix } from "../../lib/index.ts";
import {
  changeAttributes,
  compilePolicy,
  type PolicyRoute,
  type PolicyRule,
  type RouteSource,
} from "../policy/index.ts";
import {
  asPathNumbers,
  encodeLargeCommunities,
  keyOfPrefix,
  largeCommunities,
} from "../wire/index.ts";

export interface AskedRoute {
  readonly prefix: string;
  readonly source?: RouteSource;
  readonly nextHop?: string;
  readonly asPath?: readonly number[];
  readonly communities?: readonly number[];
  readonly largeCommunity?: readonly [number, number, number];
  readonly localPref?: number;
  readonly device?: string;
}

/** `rejected`, or what it is then: `accepted pref 5 via 192.0.2.9 as 1 2 med 3 communities 1:2`. */
export function askPolicy(
  rules: readonly PolicyRule[] | undefined,
  asked: AskedRoute & { readonly peerType?: "ibgp" | "ebgp" },
): string {
  const { source = "ebgp", peerType = "ebgp", nextHop = "192.0.2.1", asPath = [] } = asked;
  const { communities, largeCommunity, localPref, device } = asked;
  const route: PolicyRoute = {
    attributes: {
      origin: "igp",
      asPath: asPath.length > 0 ? [{ kind: "sequence", asns: asPath }] : [],
      nextHop: ipAddress(nextHop),
      ...(communities && { communities }),
      ...(largeCommunity && { largeCommunities: encodeLargeCommunities([largeCommunity]) }),
      ...(localPref !== undefined && { localPref }),
    },
    device,
  };
  const key = keyOfPrefix(prefix(asked.prefix));
  const passed = compilePolicy(rules, peerType).apply(key, source, route, (one, changes) => ({
    ...one,
    attributes: changeAttributes(one.attributes, changes),
  }));
  if (passed === undefined) return "rejected";
  const { attributes } = passed;
  const path = asPathNumbers(attributes.asPath);
  const standard = (attributes.communities ?? []).map((each) => `${each >>> 16}:${each & 0xffff}`);
  const large = largeCommunities(attributes.largeCommunities).map((each) => each.join(":"));
  const words = ["accepted"];
  if (attributes.localPref !== undefined) words.push(`pref ${attributes.localPref}`);
  if (attributes.nextHop !== route.attributes.nextHop) {
    words.push(`via ${formatAddress(attributes.nextHop)}`);
  }
  if (path.length > 0) words.push(`as ${path.join(" ")}`);
  if (attributes.med !== undefined) words.push(`med ${attributes.med}`);
  if (standard.length + large.length > 0)
    words.push(`communities ${[...standard, ...large].join(" ")}`);
  return words.join(" ");
}
