/** An address as it stands in a packet. */

import { type IpAddress, isIpv4 } from "../../lib/index.ts";

/** Zeros where there is none. */
export function addressBytes(address: IpAddress | undefined, length = 4): Uint8Array {
  if (address === undefined) return new Uint8Array(length);
  if (isIpv4(address)) {
    return Uint8Array.of(
      address >>> 24,
      (address >>> 16) & 255,
      (address >>> 8) & 255,
      address & 255,
    );
  }
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, address >> 64n);
  view.setBigUint64(8, address & 0xffff_ffff_ffff_ffffn);
  return bytes;
}
