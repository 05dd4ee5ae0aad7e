/** struct sockaddr_in and sockaddr_in6 as bytes (family in host order, which is little-endian here). */

import { addressFromBytes, addressToBytes, type IpAddress } from "../address.ts";

export const AF_INET = 2;
export const AF_INET6 = 10;

export interface SocketAddress {
  readonly address: IpAddress;
  readonly port: number;
}

export function encodeSocketAddress({ address, port }: SocketAddress): Uint8Array {
  const ipv4 = typeof address === "number";
  const bytes = new Uint8Array(ipv4 ? 16 : 28);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, ipv4 ? AF_INET : AF_INET6, true);
  view.setUint16(2, port);
  bytes.set(addressToBytes(address), ipv4 ? 4 : 8);
  return bytes;
}

/** `undefined` for other families. */
export function decodeSocketAddress(bytes: Uint8Array): SocketAddress | undefined {
  if (bytes.length < 16) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const family = view.getUint16(0, true);
  const port = view.getUint16(2);
  if (family === AF_INET) return { address: addressFromBytes(bytes.subarray(4, 8)), port };
  if (family !== AF_INET6 || bytes.length < 28) return undefined;
  return { address: addressFromBytes(bytes.subarray(8, 24)), port };
}
