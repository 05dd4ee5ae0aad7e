/** CIDR prefixes over {@link IpAddress}: an address and a length, host bits allowed until masked. */

import {
  bitsOf,
  type Family,
  familyOf,
  formatAddress,
  type IpAddress,
  type Ipv4,
  type Ipv6,
  parseAddress,
} from "./address.ts";

export interface Prefix<A extends IpAddress = IpAddress> {
  readonly address: A;
  /** 0..32 or 0..128. */
  readonly length: number;
}

export type Prefix4 = Prefix<Ipv4>;
export type Prefix6 = Prefix<Ipv6>;

export function isPrefix4(prefix: Prefix): prefix is Prefix4 {
  return typeof prefix.address === "number";
}

export function prefixFamily(prefix: Prefix): Family {
  return familyOf(prefix.address);
}

/** Parses `ADDRESS/LENGTH`; host bits are kept. `undefined` if it is not one. */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf("/");
  if (slash < 0) return undefined;
  const address = parseAddress(text.slice(0, slash));
  const digits = text.slice(slash + 1);
  if (address === undefined || !/^(0|[1-9][0-9]{0,2})$/.test(digits)) return undefined;
  const length = Number(digits);
  return length <= bitsOf(familyOf(address)) ? { address, length } : undefined;
}

/** Parses a prefix, or a bare address as a /32 or /128. */
export function parsePrefixOrAddress(text: string): Prefix | undefined {
  if (text.includes("/")) return parsePrefix(text);
  const address = parseAddress(text);
  return address === undefined ? undefined : hostPrefix(address);
}

/** Like {@link parsePrefix}, for text that is known to be good. @throws RangeError otherwise. */
export function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new RangeError(`not a CIDR prefix: ${JSON.stringify(text)}`);
  return parsed;
}

/** Like {@link prefix}, IPv4 only. */
export function prefix4(text: string): Prefix4 {
  const parsed = prefix(text);
  if (!isPrefix4(parsed)) throw new RangeError(`not an IPv4 prefix: ${JSON.stringify(text)}`);
  return parsed;
}

/** The /32 or /128 of one address. */
export function hostPrefix<A extends IpAddress>(address: A): Prefix<A> {
  return { address, length: bitsOf(familyOf(address)) };
}

/** True for the /32 or /128 of one address. */
export function isHostPrefix(prefix: Prefix): boolean {
  return prefix.length === bitsOf(prefixFamily(prefix));
}

export function formatPrefix(prefix: Prefix): string {
  return `${formatAddress(prefix.address)}/${prefix.length}`;
}

/** As `ip route` writes a destination: a host route without its length, 0.0.0.0/0 as `default`. */
export function formatDestination(prefix: Prefix): string {
  if (prefix.length === 0) return "default";
  return isHostPrefix(prefix) ? formatAddress(prefix.address) : formatPrefix(prefix);
}

function mask4(length: number): number {
  return length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0;
}

function mask6(length: number): bigint {
  return ((1n << BigInt(length)) - 1n) << BigInt(128 - length);
}

/** Clears the bits beyond `length`. */
export function maskAddress<A extends IpAddress>(address: A, length: number): A {
  if (typeof address === "number") return ((address & mask4(length)) >>> 0) as A;
  return ((address as bigint) & mask6(length)) as A;
}

export function maskPrefix<A extends IpAddress>(prefix: Prefix<A>): Prefix<A> {
  return { address: maskAddress(prefix.address, prefix.length), length: prefix.length };
}

export function isMasked(prefix: Prefix): boolean {
  return maskAddress(prefix.address, prefix.length) === prefix.address;
}

export function prefixContains(prefix: Prefix, address: IpAddress): boolean {
  if (typeof prefix.address !== typeof address) return false;
  return maskAddress(address, prefix.length) === maskAddress(prefix.address, prefix.length);
}

/** True if every address of `inner` is in `outer`. */
export function prefixCovers(outer: Prefix, inner: Prefix): boolean {
  return inner.length >= outer.length && prefixContains(outer, inner.address);
}

export function prefixesOverlap(a: Prefix, b: Prefix): boolean {
  return prefixCovers(a, b) || prefixCovers(b, a);
}

export function prefixEquals(a: Prefix, b: Prefix): boolean {
  return a.length === b.length && a.address === b.address;
}

/** IPv4 before IPv6, then by address, then shorter first. */
export function comparePrefixes(a: Prefix, b: Prefix): number {
  const families = prefixFamily(a) - prefixFamily(b);
  if (families !== 0) return families;
  if (a.address !== b.address) return a.address < b.address ? -1 : 1;
  return a.length - b.length;
}

/** `prefix.address + offset`, staying inside the family. */
export function addressAt<A extends IpAddress>(prefix: Prefix<A>, offset: number): A {
  const base = maskAddress(prefix.address, prefix.length);
  if (typeof base === "number") return (base + offset) as A;
  return ((base as bigint) + BigInt(offset)) as A;
}

/** Number of addresses, as a `number`: exact up to 2^53. */
export function prefixSize(prefix: Prefix): number {
  return 2 ** (bitsOf(prefixFamily(prefix)) - prefix.length);
}
