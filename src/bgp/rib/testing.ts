/** What the tests of the tables make paths from. */

import type { Ipv4 } from "../../lib/index.ts";
import type { Source } from "./path.ts";

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
