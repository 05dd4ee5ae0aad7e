/** The one error of every decoder of this room: bytes that are not what the kernel documents. */

import { SwitchyardError } from "../lib/index.ts";

const SHOWN_BYTES = 64;

/** `what` names the message or attribute and what is wrong with it; the bytes are shown in hex. */
export function malformed(what: string, view: DataView, start: number, end: number) {
  const from = Math.min(Math.max(0, start), view.byteLength);
  const to = Math.min(Math.max(from, end), view.byteLength, from + SHOWN_BYTES);
  const hex = Buffer.from(view.buffer, view.byteOffset + from, to - from).toString("hex");
  return new SwitchyardError("NETLINK_MALFORMED", `netlink: ${what}: ${hex || "(no bytes)"}`, {
    details: { what, bytes: hex },
  });
}
