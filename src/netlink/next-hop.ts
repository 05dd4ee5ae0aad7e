/** RTA_MULTIPATH: a list of struct rtnexthop, each with attributes of its own. */

import type { IpAddress } from "../lib/index.ts";
import { RTNH_F_ONLINK } from "./constants.ts";
import { decodeEncap, encodeEncap } from "./encap.ts";
import { defined } from "./header.ts";
import { malformed } from "./malformed.ts";
import { flagNames } from "./names.ts";
import {
  RTNEXTHOP_BYTES as HEADER_BYTES,
  nextHopAttributes,
  nextHopFlags,
} from "./route-attributes.ts";
import type { RouteNextHop } from "./types.ts";
import { Writer } from "./writer.ts";

export interface DecodedNextHops {
  readonly nextHops: readonly RouteNextHop[];
  /** Of any of them. */
  readonly flags: readonly string[];
}

/** @throws NETLINK_MALFORMED. */
export function decodeNextHops(bytes: Uint8Array): DecodedNextHops {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const nextHops: RouteNextHop[] = [];
  const flags = new Set<string>();
  let offset = 0;
  while (offset < view.byteLength) {
    const room = view.byteLength - offset;
    const length = room < HEADER_BYTES ? 0 : view.getUint16(offset, true);
    if (length < HEADER_BYTES || length > room) {
      throw malformed(`next hop of length ${length}, ${room} left`, view, offset, view.byteLength);
    }
    const bits = view.getUint8(offset + 2);
    const values = nextHopAttributes.decode(view, offset + HEADER_BYTES, offset + length);
    for (const name of flagNames(bits, nextHopFlags)) flags.add(name);
    nextHops.push(
      defined({
        gateway: values.gateway ?? values.via,
        device: view.getInt32(offset + 4, true),
        weight: view.getUint8(offset + 3) + 1,
        onlink: (bits & RTNH_F_ONLINK) !== 0 || undefined,
        encap: values.encap && decodeEncap(values.encapType ?? 0, values.encap),
      }),
    );
    offset += (length + 3) & ~3;
  }
  return { nextHops, flags: [...flags] };
}

/** Has a writer of its own: the message around it uses the shared one. */
export function encodeNextHops(
  nextHops: readonly RouteNextHop[],
  routeFamily: "number" | "bigint",
): Uint8Array {
  const writer = new Writer();
  for (const { gateway, device, weight = 1, onlink, encap } of nextHops) {
    const tunnel = encap && encodeEncap(encap);
    const start = writer.begin();
    writer.u8(onlink ? RTNH_F_ONLINK : 0);
    writer.u8(weight - 1);
    writer.u32(device);
    nextHopAttributes.encode(writer, {
      ...gatewayAttributes(gateway, routeFamily),
      encapType: tunnel?.type,
      encap: tunnel?.data,
    });
    writer.end(start);
  }
  return writer.take();
}

/** RTA_GATEWAY for a gateway of the route's family, else RTA_VIA. */
export function gatewayAttributes(
  gateway: IpAddress | undefined,
  routeFamily: "number" | "bigint",
): { gateway?: IpAddress; via?: IpAddress } {
  if (gateway === undefined) return {};
  return typeof gateway === routeFamily ? { gateway } : { via: gateway };
}
