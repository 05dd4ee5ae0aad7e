/** What the tests of the tables make paths and prefixes from. */

import type { Ipv4 } from "../../lib/index.ts";
import type { PrefixKey } from "../wire/index.ts";
import type { Source } from "./path.ts";
import { type PrefixNumber, prefixIndex } from "./prefix-index.ts";
import { PrefixMap } from "./prefix-map.ts";

/** An external peer with this number for its address and identifier, unless told. */
export function testSource(id: number, parts: Partial<Source> = {}): Source {
  return {
    peerId: id,
    peer: `p${id}`,
    peerType: "ebgp",
    remoteAs: 65001,
    role: undefined,
    peerAddress: id as Ipv4,
    peerRouterId: id as Ipv4,
    localAddress: undefined,
    routeReflectorClient: false,
    stale: false,
    ...parts,
  };
}

const kept = new PrefixMap<true>();

/** Good until the test's process ends. */
export function testNumber(key: PrefixKey): PrefixNumber {
  const number = prefixIndex.add(key);
  kept.set(number, true);
  return number;
}
