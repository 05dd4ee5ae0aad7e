/** Codecs of the attribute payloads rtnetlink uses. */

import { type IpAddress, type Ipv4, type Ipv6, SwitchyardError } from "../lib/index.ts";
import type { AttributeCodec } from "./attribute.ts";
import type { Writer } from "./writer.ts";

function fixed<T>(
  what: string,
  size: number,
  read: (view: DataView, offset: number) => T,
  write: (writer: Writer, value: T) => void,
): AttributeCodec<T> {
  return { what, accepts: (length) => length === size, read, write };
}

export const u8 = fixed(
  "u8",
  1,
  (view, offset) => view.getUint8(offset),
  (writer, value) => writer.u8(value),
);

export const u16 = fixed(
  "u16",
  2,
  (view, offset) => view.getUint16(offset, true),
  (writer, value) => writer.u16(value),
);

export const u16be = fixed(
  "be16",
  2,
  (view, offset) => view.getUint16(offset),
  (writer, value) => writer.u16be(value),
);

export const u32 = fixed(
  "u32",
  4,
  (view, offset) => view.getUint32(offset, true),
  (writer, value) => writer.u32(value),
);

export const u32be = fixed(
  "be32",
  4,
  (view, offset) => view.getUint32(offset),
  (writer, value) => writer.u32be(value),
);

export const s32 = fixed(
  "s32",
  4,
  (view, offset) => view.getInt32(offset, true),
  (writer, value) => writer.u32(value),
);

/** A key; those beyond 2^53 lose their last digits. */
export const u64be = fixed(
  "be64",
  8,
  (view, offset) => Number(view.getBigUint64(offset)),
  (writer, value) => {
    writer.u32be(Math.floor(value / 2 ** 32));
    writer.u32be(value % 2 ** 32);
  },
);

/** An attribute that is there or not; `false` cannot be written. */
export const flag: AttributeCodec<true> = {
  what: "flag",
  accepts: () => true,
  read: () => true,
  write: () => {},
};

/** A boolean the kernel keeps in a byte. */
export const bool8 = fixed(
  "u8",
  1,
  (view, offset) => view.getUint8(offset) !== 0,
  (writer, value) => writer.u8(value ? 1 : 0),
);

function readIpv4(view: DataView, offset: number): Ipv4 {
  return view.getUint32(offset) as Ipv4;
}

function readIpv6(view: DataView, offset: number): Ipv6 {
  return ((view.getBigUint64(offset) << 64n) | view.getBigUint64(offset + 8)) as Ipv6;
}

/** A boolean the kernel keeps in a u32. */
export const bool32 = fixed(
  "u32",
  4,
  (view, offset) => view.getUint32(offset, true) !== 0,
  (writer, value: boolean) => writer.u32(value ? 1 : 0),
);

export const ipv4Address: AttributeCodec<Ipv4> = fixed(
  "IPv4 address",
  4,
  readIpv4,
  (writer, value) => writer.u32be(value),
);

export const ipv6Address: AttributeCodec<Ipv6> = fixed(
  "IPv6 address",
  16,
  readIpv6,
  (writer, value) => writer.u128be(value),
);

/** An address whose length tells its family. */
export const address: AttributeCodec<IpAddress> = {
  what: "IP address",
  accepts: (length) => length === 4 || length === 16,
  read: (view, offset, length) => (length === 4 ? readIpv4(view, offset) : readIpv6(view, offset)),
  write: writeAddress,
};

export function writeAddress(writer: Writer, value: IpAddress): void {
  if (typeof value === "number") writer.u32be(value);
  else writer.u128be(value);
}

/** RTA_VIA: a gateway of another family than the route's (struct rtvia). */
export const via: AttributeCodec<IpAddress> = {
  what: "struct rtvia",
  accepts: (length) => length === 6 || length === 18,
  read: (view, offset, length) => address.read(view, offset + 2, length - 2),
  write(writer, value) {
    writer.u16(typeof value === "number" ? 2 : 10);
    writeAddress(writer, value);
  },
};

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Text with its closing NUL; what follows the first NUL does not count. */
export const text: AttributeCodec<string> = {
  what: "text",
  accepts: () => true,
  read(view, offset, length) {
    let end = 0;
    while (end < length && view.getUint8(offset + end) !== 0) end++;
    return decoder.decode(new Uint8Array(view.buffer, view.byteOffset + offset, end));
  },
  write(writer, value) {
    writer.bytes(encoder.encode(value));
    writer.u8(0);
  },
};

/** A copy of the payload, whatever it is. */
export const bytes: AttributeCodec<Uint8Array> = {
  what: "bytes",
  accepts: () => true,
  read: (view, offset, length) =>
    new Uint8Array(view.buffer, view.byteOffset + offset, length).slice(),
  write: (writer, value) => writer.bytes(value),
};

const hexByte = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, "0"));

/**
 * A link-layer address. Only Ethernet's have a textual form here; those of other lengths (4 bytes on an
 * IPv4 tunnel, 16 on an IPv6 tunnel) read as undefined.
 */
export const mac: AttributeCodec<string | undefined> = {
  what: "link-layer address",
  accepts: (length) => length <= 32,
  read(view, offset, length) {
    if (length !== 6) return undefined;
    let result = hexByte[view.getUint8(offset)]!;
    for (let i = 1; i < 6; i++) result += `:${hexByte[view.getUint8(offset + i)]}`;
    return result;
  },
  write(writer, value) {
    if (!/^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/.test(value ?? "")) {
      throw new SwitchyardError("INVALID_ARGUMENT", `not a MAC address: ${JSON.stringify(value)}`);
    }
    for (const byte of value!.split(":")) writer.u8(Number.parseInt(byte, 16));
  },
};
