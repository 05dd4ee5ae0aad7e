/**
 * IP addresses as numbers. An IPv4 address is an unsigned 32-bit `number`, an IPv6 address a
 * 128-bit `bigint`, so that `typeof` tells the family, comparison is `<`, and no hot path ever
 * touches text. Text is read and written only at the edges, by the functions below.
 */

declare const brand: unique symbol;

/** An IPv4 address: an integer in [0, 2^32). */
export type Ipv4 = number & { readonly [brand]: "Ipv4" };

/** An IPv6 address: an integer in [0, 2^128). */
export type Ipv6 = bigint & { readonly [brand]: "Ipv6" };

export type IpAddress = Ipv4 | Ipv6;

export type Family = 4 | 6;

export function familyOf(address: IpAddress): Family {
  return typeof address === "number" ? 4 : 6;
}

export function isIpv4(address: IpAddress): address is Ipv4 {
  return typeof address === "number";
}

/** Number of bits of an address of this family: 32 or 128. */
export function bitsOf(family: Family): 32 | 128 {
  return family === 4 ? 32 : 128;
}

const CODE_0 = 48;
const CODE_9 = 57;
const CODE_DOT = 46;

/** Parses dotted decimal (`10.0.0.1`); no leading zeros, exactly four parts. `undefined` if it is not one. */
export function parseIpv4(text: string): Ipv4 | undefined {
  let value = 0;
  let part = -1;
  let parts = 0;
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : CODE_DOT;
    if (code === CODE_DOT) {
      if (part < 0 || part > 255) return undefined;
      value = value * 256 + part;
      parts++;
      part = -1;
    } else if (code >= CODE_0 && code <= CODE_9) {
      if (part === 0) return undefined;
      part = (part < 0 ? 0 : part * 10) + (code - CODE_0);
      if (part > 255) return undefined;
    } else {
      return undefined;
    }
  }
  return parts === 4 ? (value as Ipv4) : undefined;
}

/** Parses RFC 4291 section 2.2 text, with `::` and an embedded IPv4 tail; no zone. */
export function parseIpv6(text: string): Ipv6 | undefined {
  const gap = text.indexOf("::");
  if (gap !== text.lastIndexOf("::")) return undefined;
  const head = parseGroups(gap < 0 ? text : text.slice(0, gap), gap < 0);
  const tail = gap < 0 ? [] : parseGroups(text.slice(gap + 2), true);
  if (head === undefined || tail === undefined) return undefined;
  const count = head.length + tail.length;
  if (gap < 0 ? count !== 8 : count > 7) return undefined;
  let value = 0n;
  for (const group of head) value = (value << 16n) | BigInt(group);
  value <<= BigInt(16 * (8 - count));
  for (const group of tail) value = (value << 16n) | BigInt(group);
  return value as Ipv6;
}

function parseGroups(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (mayEndInIpv4 && index === parts.length - 1 && part.includes(".")) {
      const ipv4 = parseIpv4(part);
      if (ipv4 === undefined) return undefined;
      groups.push(Math.floor(ipv4 / 65536), ipv4 % 65536);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else {
      return undefined;
    }
  }
  return groups;
}

/** Parses either family. `undefined` if the text is neither. */
export function parseAddress(text: string): IpAddress | undefined {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

/** Like {@link parseIpv4}, for text that is known to be good. @throws RangeError otherwise. */
export function ipv4(text: string): Ipv4 {
  const address = parseIpv4(text);
  if (address === undefined) throw new RangeError(`not an IPv4 address: ${JSON.stringify(text)}`);
  return address;
}

/** Like {@link parseAddress}, for text that is known to be good. @throws RangeError otherwise. */
export function ipAddress(text: string): IpAddress {
  const address = parseAddress(text);
  if (address === undefined) throw new RangeError(`not an IP address: ${JSON.stringify(text)}`);
  return address;
}

/** Dotted decimal, or RFC 5952 canonical text for IPv6. */
export function formatAddress(address: IpAddress): string {
  return typeof address === "number" ? formatIpv4(address) : formatIpv6(address);
}

function formatIpv4(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

function formatIpv6(address: bigint): string {
  const groups: number[] = [];
  for (let shift = 112n; shift >= 0n; shift -= 16n) {
    groups.push(Number((address >> shift) & 0xffffn));
  }
  // RFC 5952 section 4.2: the longest run of two or more zero groups, the first of equals.
  let start = -1;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > length) {
      start = i;
      length = end - i;
    }
    if (end > i) i = end;
  }
  const hex = groups.map((group) => group.toString(16));
  // RFC 5952 section 5: IPv4-mapped addresses keep their dotted tail.
  if (start === 0 && length === 5 && groups[5] === 0xffff) {
    return `::ffff:${formatIpv4(Number(address & 0xffffffffn))}`;
  }
  if (start < 0) return hex.join(":");
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}

/** Network-order bytes: 4 or 16 of them. */
export function addressToBytes(address: IpAddress): Uint8Array {
  if (typeof address === "number") {
    return Uint8Array.of(
      address >>> 24,
      (address >>> 16) & 255,
      (address >>> 8) & 255,
      address & 255,
    );
  }
  const bytes = new Uint8Array(16);
  let rest: bigint = address;
  for (let i = 15; i >= 0; i--) {
    bytes[i] = Number(rest & 255n);
    rest >>= 8n;
  }
  return bytes;
}

/** Reads 4 or 16 network-order bytes. @throws RangeError for any other length. */
export function addressFromBytes(bytes: Uint8Array): IpAddress {
  if (bytes.length === 4) {
    return (bytes[0]! * 0x1000000 + bytes[1]! * 0x10000 + bytes[2]! * 0x100 + bytes[3]!) as Ipv4;
  }
  if (bytes.length !== 16)
    throw new RangeError(`an address has 4 or 16 bytes, not ${bytes.length}`);
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value as Ipv6;
}
