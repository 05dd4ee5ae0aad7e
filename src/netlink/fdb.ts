/** RTM_NEWNEIGH and RTM_DELNEIGH of AF_BRIDGE: forwarding entries of vxlan devices and bridges. */

import { formatAddress } from "../lib/index.ts";
import {
  AF_BRIDGE,
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_REPLACE,
  NTF_SELF,
  RTM_DELNEIGH,
  RTM_NEWNEIGH,
} from "./constants.ts";
import { defined } from "./header.ts";
import { malformed } from "./malformed.ts";
import type { Message } from "./message.ts";
import { flagNames, neighbourStates } from "./names.ts";
import {
  neighbourAttributes,
  neighbourLayout,
  readNeighbour,
  writeNeighbourHeader,
} from "./neighbour.ts";
import { deviceText, type LinkName, request } from "./request.ts";
import type { FdbEntry, Request } from "./types.ts";
import { build } from "./writer.ts";

const flags = [
  [0x02, "self"],
  [0x04, "master"],
  [0x10, "extern_learn"],
  [0x20, "offload"],
  [0x40, "sticky"],
  [0x80, "router"],
] as const;

/** @throws NETLINK_MALFORMED. */
export function decodeFdbEntry(message: Message): FdbEntry {
  const { header, values } = readNeighbour(message);
  const { view, start, end } = message;
  if (values.mac === undefined) throw malformed("fdb entry without a MAC", view, start, end);
  return defined({
    index: header.index,
    mac: values.mac,
    destination: values.destination,
    state: neighbourStates.name(header.state),
    flags: flagNames(header.flags, flags),
    master: values.master,
    vlan: values.vlan,
    nextHopId: values.nextHopId,
  });
}

/** What names a forwarding entry of a vxlan device. */
export type FdbKey = Pick<FdbEntry, "index" | "mac" | "destination" | "nextHopId">;

function fdbRequest(
  verb: string,
  numbers: { readonly type: number; readonly flags: number },
  entry: FdbKey & { readonly state?: string },
  linkName: LinkName | undefined,
): Request {
  const { index, mac, destination, nextHopId } = entry;
  const payload = build((writer) => {
    // bridge(8) makes entries permanent unless told otherwise.
    const state = neighbourStates.number(entry.state ?? "permanent");
    writeNeighbourHeader(writer, { family: AF_BRIDGE, index, state, flags: NTF_SELF });
    neighbourAttributes.encode(writer, { destination, mac, nextHopId });
  });
  const remote = destination === undefined ? "" : ` dst ${formatAddress(destination)}`;
  const dst = nextHopId === undefined ? remote : `${remote} nhid ${nextHopId}`;
  const text = () => `fdb ${verb} ${mac} dev ${deviceText(index, linkName)}${dst} self`;
  return request({ ...numbers, payload, layout: neighbourLayout, text });
}

type NewFdbEntry = FdbKey & { readonly state?: string };

/** `bridge fdb replace … self`: one remote for this MAC, whatever it was. Not for 00:00:00:00:00:00. */
export function fdbReplace(entry: NewFdbEntry, linkName?: LinkName): Request {
  const numbers = { type: RTM_NEWNEIGH, flags: NLM_F_CREATE | NLM_F_REPLACE };
  return fdbRequest("replace", numbers, entry, linkName);
}

/** `bridge fdb append … self`: one more remote for this MAC (flooding to several by the zero MAC). */
export function fdbAppend(entry: NewFdbEntry, linkName?: LinkName): Request {
  const numbers = { type: RTM_NEWNEIGH, flags: NLM_F_CREATE | NLM_F_APPEND };
  return fdbRequest("append", numbers, entry, linkName);
}

/** `bridge fdb delete … self`: that remote, or without one the whole entry. */
export function fdbDelete(entry: FdbKey, linkName?: LinkName): Request {
  const { index, mac, destination } = entry;
  const key = destination === undefined ? { index, mac } : { index, mac, destination };
  return fdbRequest("delete", { type: RTM_DELNEIGH, flags: 0 }, key, linkName);
}
