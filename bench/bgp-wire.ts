/** Messages of the BGP benchmark, encoded before its clock starts. Pure. */

import type { AddressFamily } from "../src/bgp/index.ts";
import {
  concatBytes,
  encodeAnnounce,
  encodeAttributes,
  encodeOpen,
  encodeWithdraw,
  keyOfPrefix,
} from "../src/bgp/wire/index.ts";
import { type IpAddress, ipAddress, ipv4 } from "../src/lib/index.ts";
import type { BgpCase, Step } from "./bgp-cases.ts";
import { addressOf, type BenchPeer, feederOf } from "./bgp-peers.ts";
import {
  attributesOf,
  type Pass,
  passes,
  prefixAt,
  type RouteAttributes,
  routeSets,
} from "./bgp-routes.ts";

const maximumBytes = 4096;

export function openOf(
  { as, identifier }: BenchPeer,
  { family, holdTimeSeconds }: { readonly family: AddressFamily; readonly holdTimeSeconds: number },
): Uint8Array {
  return encodeOpen({
    kind: "open",
    as,
    holdTimeSeconds,
    routerId: ipv4(identifier),
    capabilities: [
      { kind: "multiprotocol", afi: family === "ipv4-unicast" ? 1 : 2, safi: 1 },
      { kind: "route-refresh" },
      { kind: "four-octet-as", as },
    ],
  });
}

/** All that a feeder sends in a step: a piece for each pass, the same one where the pass is the same. */
export function stepPieces(bgp: BgpCase, step: Step, feeder: number): Uint8Array[] {
  const known = new Map<string, Uint8Array>();
  const wanted = passes(bgp, step, feeder);
  if (wanted.length === 0) return [];
  const encode = encoder(bgp, feeder);
  return wanted.map((pass) => {
    const name = pass.kind === "announce" ? String(pass.generation) : pass.kind;
    const piece = known.get(name) ?? encode(pass);
    known.set(name, piece);
    return piece;
  });
}

function encoder(bgp: BgpCase, feeder: number): (pass: Pass) => Uint8Array {
  const { family } = bgp;
  const keyAt = (index: number) => keyOfPrefix(prefixAt(family, index));
  const sets = routeSets(bgp, feeder).map((set) => ({ ...set, keys: set.prefixes.map(keyAt) }));
  const nextHop = ipAddress(addressOf(feederOf(bgp, feeder), family));
  const internal = bgp.shape !== "fabric";
  return (pass) => {
    if (pass.kind === "withdraw") {
      // One after the other, as no set of attributes keeps them apart.
      const indices = sets.flatMap((set) => set.prefixes).sort((a, b) => a - b);
      const keys = indices.map(keyAt);
      return concatBytes(encodeWithdraw({ family, keys, maximumBytes }));
    }
    const { generation } = pass;
    const messages = sets.flatMap(({ number, keys }) => {
      const route = attributesOf(bgp, feeder, { set: number, generation });
      const attributes = encodeRoute(route, { nextHop, internal });
      return encodeAnnounce({ family, attributes, nextHop, keys, maximumBytes });
    });
    return concatBytes(messages);
  };
}

function encodeRoute(
  { asPath, ...rest }: RouteAttributes,
  { nextHop, internal }: { readonly nextHop: IpAddress; readonly internal: boolean },
): Uint8Array {
  const attributes = {
    ...rest,
    origin: "igp",
    asPath: [{ kind: "sequence", asns: asPath }],
    nextHop,
    ...(internal ? { localPref: 100 } : {}),
  } as const;
  return encodeAttributes(attributes, { fourOctetAs: true });
}
