/** Where a peer is, as a text: its address, and the device where the address does not say it all. */

import { formatAddress, type IpAddress } from "../lib/index.ts";

/** fe80::/10: of one link only (RFC 4291 section 2.5.6), so that peers on several links may have the same. */
export function isLinkLocal(address: IpAddress): boolean {
  return typeof address === "bigint" && address >> 118n === 0x3fan;
}

export function placeOf(peer: {
  readonly address: IpAddress;
  readonly device?: string | undefined;
}): string {
  const text = formatAddress(peer.address);
  return isLinkLocal(peer.address) ? `${text}%${peer.device ?? ""}` : text;
}
