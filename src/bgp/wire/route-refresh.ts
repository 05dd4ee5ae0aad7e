/** ROUTE-REFRESH (RFC 2918), with the begin and end marks of RFC 7313; and KEEPALIVE, which has no body. */

import { readUint16, uint16 } from "./bytes.ts";
import { type AfiSafi, HEADER_BYTES, messageType } from "./constants.ts";
import { badLength } from "./framer.ts";
import { encodeMessage } from "./header.ts";
import { ProtocolError } from "./notification.ts";

export interface RouteRefresh extends AfiSafi {
  readonly kind: "route-refresh";
  /** `unknown` subtypes are to be ignored (RFC 7313 section 5). */
  readonly subtype: "request" | "begin" | "end" | "unknown";
}

const subtypes = ["request", "begin", "end"] as const;

export function encodeRouteRefresh(
  message: AfiSafi & { subtype: (typeof subtypes)[number] },
): Uint8Array {
  const subtype = subtypes.indexOf(message.subtype);
  const body = Uint8Array.of(...uint16(message.afi), subtype, message.safi);
  return encodeMessage(messageType.routeRefresh, body);
}

/**
 * `message` is whole, its header already checked. `enhanced`: the peer told the capability of RFC 7313,
 * and knows the error that goes with it. @throws ProtocolError
 */
export function decodeRouteRefresh(message: Uint8Array, enhanced = true): RouteRefresh {
  const { length } = message;
  if (length !== HEADER_BYTES + 4) {
    if (!enhanced) throw badLength(length, messageType.routeRefresh);
    // RFC 7313 section 5: the data is the whole message.
    throw new ProtocolError("routeRefreshLength", `length ${length}`, message.slice());
  }
  return {
    kind: "route-refresh",
    afi: readUint16(message, HEADER_BYTES),
    safi: message[HEADER_BYTES + 3]!,
    subtype: subtypes[message[HEADER_BYTES + 2]!] ?? "unknown",
  };
}

export function encodeKeepalive(): Uint8Array {
  return encodeMessage(messageType.keepalive, new Uint8Array(0));
}
