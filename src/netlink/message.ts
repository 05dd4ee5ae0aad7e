/** Framing: struct nlmsghdr around a payload, several to a datagram (linux/netlink.h). */

import { malformed } from "./malformed.ts";

export const HEADER_BYTES = 16;

/** A message in a receive buffer; valid until the next receive. Its payload is [start, end) of `view`. */
export interface Message {
  /** nlmsg_type. */
  readonly type: number;
  /** nlmsg_flags. */
  readonly flags: number;
  /** nlmsg_seq: that of the request it answers; 0 in events. */
  readonly sequence: number;
  /** nlmsg_pid: the socket it answers. */
  readonly port: number;
  readonly view: DataView;
  readonly start: number;
  readonly end: number;
}

/** Calls `visit` for each message of the first `length` bytes. @throws NETLINK_MALFORMED. */
export function forEachMessage(
  view: DataView,
  length: number,
  visit: (message: Message) => void,
): void {
  let offset = 0;
  while (offset < length) {
    const room = length - offset;
    const size = room < HEADER_BYTES ? 0 : view.getUint32(offset, true);
    if (size < HEADER_BYTES || size > room) {
      throw malformed(`message of length ${size}, ${room} left`, view, offset, length);
    }
    visit({
      type: view.getUint16(offset + 4, true),
      flags: view.getUint16(offset + 6, true),
      sequence: view.getUint32(offset + 8, true),
      port: view.getUint32(offset + 12, true),
      view,
      start: offset + HEADER_BYTES,
      end: offset + size,
    });
    offset += (size + 3) & ~3;
  }
}

/** Bytes a message with such a payload takes, padding included. */
export function messageBytes(payloadLength: number): number {
  return (HEADER_BYTES + payloadLength + 3) & ~3;
}

export interface Header {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
}

/** Where messages are written to send them. */
export interface MessageBuffer {
  readonly bytes: Uint8Array;
  /** Of the same bytes. */
  readonly view: DataView;
}

export function messageBuffer(size: number): MessageBuffer {
  const bytes = new Uint8Array(size);
  return { bytes, view: new DataView(bytes.buffer) };
}

/** Writes a message at `offset` of `target`, which must have room; returns the offset behind it. */
export function writeMessage(
  target: MessageBuffer,
  offset: number,
  header: Header,
  payload: Uint8Array,
): number {
  const { bytes, view } = target;
  const length = HEADER_BYTES + payload.length;
  view.setUint32(offset, length, true);
  view.setUint16(offset + 4, header.type, true);
  view.setUint16(offset + 6, header.flags, true);
  view.setUint32(offset + 8, header.sequence, true);
  // nlmsg_pid 0: the kernel fills in the sender's port.
  view.setUint32(offset + 12, 0, true);
  bytes.set(payload, offset + HEADER_BYTES);
  const next = offset + messageBytes(payload.length);
  for (let i = offset + length; i < next; i++) bytes[i] = 0;
  return next;
}
