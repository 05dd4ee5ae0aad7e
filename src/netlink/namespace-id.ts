/**
 * RTM_GETNSID: by which number one network namespace knows another (linux/net_namespace.h). A link whose
 * other end is elsewhere names that namespace by such a number only (IFLA_LINK_NETNSID).
 */

import { closeFd, openPath } from "../lib/sys/index.ts";
import { attributeTable } from "./attribute.ts";
import { s32, u32 } from "./codecs.ts";
import { RTM_GETNSID } from "./constants.ts";
import { headerEnd } from "./header.ts";
import type { WithRequest } from "./link-request.ts";
import type { Message } from "./message.ts";
import { request } from "./request.ts";
import { build } from "./writer.ts";

/** struct rtgenmsg, padded. */
const HEADER_BYTES = 4;

const attributes = attributeTable("NETNSA", {
  id: [1, "NETNSA_NSID", s32],
  fd: [3, "NETNSA_FD", u32],
});

/** The namespace at `path` is held open while the request is in use. */
export function namespaceIdQuery(path: string): WithRequest {
  return (use) => {
    const fd = openPath(path);
    try {
      const payload = build((writer) => {
        writer.u32(0);
        attributes.encode(writer, { fd });
      });
      return use(
        request({ type: RTM_GETNSID, flags: 0, payload, text: () => `netns list-id ${path}` }),
      );
    } finally {
      closeFd(fd);
    }
  };
}

/** undefined: none has been given yet (NETNSA_NSID_NOT_ASSIGNED). @throws NETLINK_MALFORMED. */
export function decodeNamespaceId(message: Message): number | undefined {
  const from = headerEnd(message, "struct rtgenmsg", HEADER_BYTES);
  const { id } = attributes.decode(message.view, from, message.end);
  return id === undefined || id < 0 ? undefined : id;
}
