/** RTM_NEWADDR and RTM_DELADDR: addresses of links (linux/if_addr.h). */

import { familyOf, formatAddress, formatPrefix } from "../lib/index.ts";
import { attributeTable } from "./attribute.ts";
import { address as addressCodec, text, u8, u32 } from "./codecs.ts";
import {
  familyNumber,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  RTM_DELADDR,
  RTM_NEWADDR,
} from "./constants.ts";
import { defined, headerEnd } from "./header.ts";
import { malformed } from "./malformed.ts";
import type { Message } from "./message.ts";
import { flagNames, scopes } from "./names.ts";
import { deviceText, type LinkName, request } from "./request.ts";
import type { LinkAddress, Request } from "./types.ts";
import { build } from "./writer.ts";

const addressAttributes = attributeTable("IFA", {
  /** The address, or on a point-to-point link that of the peer. */
  address: [1, "IFA_ADDRESS", addressCodec],
  local: [2, "IFA_LOCAL", addressCodec],
  label: [3, "IFA_LABEL", text],
  broadcast: [4, "IFA_BROADCAST", addressCodec],
  flags: [8, "IFA_FLAGS", u32],
  protocol: [11, "IFA_PROTO", u8],
});

const IFA_F_NODAD = 0x02;

const flags = [
  [0x01, "secondary"],
  [0x02, "nodad"],
  [0x08, "dadfailed"],
  [0x20, "deprecated"],
  [0x40, "tentative"],
  [0x80, "permanent"],
] as const;

/** struct ifaddrmsg. */
const IFADDRMSG_BYTES = 8;

const addressLayout = { headerBytes: IFADDRMSG_BYTES, table: addressAttributes };

/** @throws NETLINK_MALFORMED. */
export function decodeAddress(message: Message): LinkAddress {
  const { view, start, end } = message;
  const from = headerEnd(message, "struct ifaddrmsg", IFADDRMSG_BYTES);
  const values = addressAttributes.decode(view, from, end);
  const address = values.local ?? values.address;
  const length = view.getUint8(start + 1);
  if (address === undefined || length > (typeof address === "number" ? 32 : 128)) {
    throw malformed("address message without an address", view, start, end);
  }
  const names = flagNames(values.flags ?? view.getUint8(start + 2), flags);
  return defined({
    index: view.getUint32(start + 4, true),
    prefix: { address, length },
    peer: values.address !== undefined && values.address !== address ? values.address : undefined,
    broadcast: values.broadcast,
    label: values.label,
    protocol: values.protocol,
    scope: scopes.name(view.getUint8(start + 3)),
    flags: names.length > 0 ? names : undefined,
  });
}

function addressRequest(
  verb: string,
  numbers: { readonly type: number; readonly flags: number },
  address: LinkAddress,
  linkName: LinkName | undefined,
): Request {
  const local = address.prefix.address;
  const payload = build((writer) => {
    writer.u8(familyNumber(familyOf(local)));
    writer.u8(address.prefix.length);
    writer.u8(0); // flags are in IFA_FLAGS
    writer.u8(scopes.number(address.scope));
    writer.u32(address.index);
    addressAttributes.encode(writer, {
      address: address.peer ?? local,
      local,
      label: address.label,
      broadcast: address.broadcast,
      flags: address.nodad ? IFA_F_NODAD : undefined,
      protocol: address.protocol,
    });
  });
  const peer = address.peer === undefined ? "" : ` peer ${formatAddress(address.peer)}`;
  const text = () =>
    `address ${verb} ${formatPrefix(address.prefix)}${peer} dev ${deviceText(address.index, linkName)}`;
  return request({ ...numbers, payload, layout: addressLayout, text });
}

/** `ip address add`. */
export function addressAdd(address: LinkAddress, linkName?: LinkName): Request {
  const numbers = { type: RTM_NEWADDR, flags: NLM_F_CREATE | NLM_F_EXCL };
  return addressRequest("add", numbers, address, linkName);
}

/** `ip address replace`. */
export function addressReplace(address: LinkAddress, linkName?: LinkName): Request {
  const numbers = { type: RTM_NEWADDR, flags: NLM_F_CREATE | NLM_F_REPLACE };
  return addressRequest("replace", numbers, address, linkName);
}

/** `ip address delete`: address, length and link must match. */
export function addressDelete(address: LinkAddress, linkName?: LinkName): Request {
  return addressRequest("delete", { type: RTM_DELADDR, flags: 0 }, address, linkName);
}
