/**
 * RTM_NEWNSID and RTM_GETNSID: small numbers by which one network namespace knows others. A link whose
 * other end is elsewhere tells where by such a number (IFLA_LINK_NETNSID).
 */

import { attributeTable } from "./attribute.ts";
import { s32, u32 } from "./codecs.ts";
import { RTM_GETNSID, RTM_NEWNSID } from "./constants.ts";
import { headerEnd } from "./header.ts";
import type { Message } from "./message.ts";
import { request } from "./request.ts";
import type { Request } from "./types.ts";
import { build, type Writer } from "./writer.ts";

const attributes = attributeTable("NETNSA", {
  id: [1, "NETNSA_NSID", s32],
  namespaceFd: [3, "NETNSA_FD", u32],
});

/** struct rtgenmsg, padded. */
const HEADER_BYTES = 4;
const layout = { headerBytes: HEADER_BYTES, table: attributes };

function payloadOf(values: Parameters<typeof attributes.encode>[1]): Uint8Array {
  return build((writer: Writer) => {
    writer.u32(0);
    attributes.encode(writer, values);
  });
}

/** -1 where the namespace has no number here. @throws NETLINK_MALFORMED. */
export function decodeNetnsId(message: Message): number {
  const from = headerEnd(message, "struct rtgenmsg", HEADER_BYTES);
  return attributes.decode(message.view, from, message.end).id ?? -1;
}

/** `ip netns set`. `id` -1: the kernel chooses. */
export function netnsIdNew(namespaceFd: number, id: number, path: string): Request {
  const text = () => `netns set ${path} ${id === -1 ? "auto" : id}`;
  const payload = payloadOf({ namespaceFd, id });
  return request({ type: RTM_NEWNSID, flags: 0, payload, layout, text });
}

export function netnsIdGet(namespaceFd: number, path: string): Request {
  const payload = payloadOf({ namespaceFd });
  return request({ type: RTM_GETNSID, flags: 0, payload, layout, text: () => `netns id ${path}` });
}

export function netnsIdDump(): Request {
  const payload = payloadOf({});
  return request({ type: RTM_GETNSID, flags: 0, payload, layout, text: () => "netns list-id" });
}
