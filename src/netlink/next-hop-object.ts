/** RTM_NEWNEXTHOP and RTM_DELNEXTHOP: next hops that many routes share (linux/nexthop.h, kernel 5.3). */

import { familyOf, formatAddress } from "../lib/index.ts";
import { type AttributeCodec, attributeTable, flaggedNest } from "./attribute.ts";
import { address, flag, u16, u32 } from "./codecs.ts";
import {
  AF_INET6,
  familyNumber,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  RTM_DELNEXTHOP,
  RTM_GETNEXTHOP,
  RTM_NEWNEXTHOP,
  RTNH_F_ONLINK,
} from "./constants.ts";
import { decodeEncap, encodeEncap } from "./encap.ts";
import { encapText } from "./encap-text.ts";
import { defined, headerEnd } from "./header.ts";
import type { Message } from "./message.ts";
import { flagNames, routeProtocols, scopes } from "./names.ts";
import { deviceText, type LinkName, request } from "./request.ts";
import { encapCodec, nextHopFlags } from "./route-attributes.ts";
import type { NextHopGroupMember, NextHopObject, Request } from "./types.ts";
import { build, type Writer } from "./writer.ts";

/** struct nhmsg. */
const HEADER_BYTES = 8;
/** struct nexthop_grp: id, weight - 1, its high byte (kernel 6.12), two of nothing. */
const MEMBER_BYTES = 8;

const members: AttributeCodec<readonly NextHopGroupMember[]> = {
  what: "list of struct nexthop_grp",
  accepts: (length) => length % MEMBER_BYTES === 0,
  read: (view, offset, length) =>
    Array.from({ length: length / MEMBER_BYTES }, (_, i) => {
      const at = offset + i * MEMBER_BYTES;
      const weight = view.getUint8(at + 4) + view.getUint8(at + 5) * 256 + 1;
      return { id: view.getUint32(at, true), weight };
    }),
  write(writer, group) {
    for (const { id, weight = 1 } of group) {
      writer.u32(id);
      writer.u32((weight - 1) & 0xffff);
    }
  },
};

const resilientTable = attributeTable("NHA_RES_GROUP", {
  buckets: [1, "NHA_RES_GROUP_BUCKETS", u16],
  idleTimerCentiseconds: [2, "NHA_RES_GROUP_IDLE_TIMER", u32],
  unbalancedTimerCentiseconds: [3, "NHA_RES_GROUP_UNBALANCED_TIMER", u32],
});

const attributes = attributeTable("NHA", {
  id: [1, "NHA_ID", u32],
  group: [2, "NHA_GROUP", members],
  groupType: [3, "NHA_GROUP_TYPE", u16],
  blackhole: [4, "NHA_BLACKHOLE", flag],
  device: [5, "NHA_OIF", u32],
  gateway: [6, "NHA_GATEWAY", address],
  encapType: [7, "NHA_ENCAP_TYPE", u16],
  encap: [8, "NHA_ENCAP", { ...encapCodec, flagged: true }],
  fdb: [11, "NHA_FDB", flag],
  resilient: [12, "NHA_RES_GROUP", flaggedNest(resilientTable)],
});

const layout = { headerBytes: HEADER_BYTES, table: attributes };

const NEXTHOP_GRP_TYPE_RES = 1;

/** @throws NETLINK_MALFORMED. */
export function decodeNextHopObject(message: Message): NextHopObject {
  const { view, start, end } = message;
  const from = headerEnd(message, "struct nhmsg", HEADER_BYTES);
  const values = attributes.decode(view, from, end);
  const { encapType, encap, groupType: _type, blackhole, fdb, resilient, ...same } = values;
  const bits = view.getUint32(start + 4, true);
  const flags = flagNames(bits, nextHopFlags);
  const single = values.group === undefined;
  return defined({
    ...same,
    family: single ? (view.getUint8(start) === AF_INET6 ? (6 as const) : (4 as const)) : undefined,
    protocol: view.getUint8(start + 2) || undefined,
    scope: single ? scopes.name(view.getUint8(start + 1)) : undefined,
    onlink: (bits & RTNH_F_ONLINK) !== 0 || undefined,
    blackhole,
    fdb,
    encap: encap && decodeEncap(encapType ?? 0, encap),
    resilient: resilient && defined(resilient),
    flags: flags.length > 0 ? flags : undefined,
  });
}

function writeHeader(writer: Writer, nextHop: NextHopObject): void {
  const { gateway, family = 4, group, protocol = 0, onlink } = nextHop;
  const of = gateway === undefined ? family : familyOf(gateway);
  writer.u8(group === undefined ? familyNumber(of) : 0);
  writer.u8(0); // the kernel derives the scope
  writer.u8(protocol);
  writer.u8(0);
  writer.u32(onlink ? RTNH_F_ONLINK : 0);
}

function newNextHop(
  verb: string,
  flags: number,
  of: { readonly nextHop: NextHopObject; readonly linkName: LinkName | undefined },
): Request {
  const { nextHop, linkName } = of;
  const { id, group, blackhole, device, gateway, fdb, resilient } = nextHop;
  const tunnel = nextHop.encap && encodeEncap(nextHop.encap);
  const payload = build((writer) => {
    writeHeader(writer, nextHop);
    attributes.encode(writer, {
      id: id || undefined,
      group,
      groupType: resilient && NEXTHOP_GRP_TYPE_RES,
      blackhole: blackhole || undefined,
      device,
      gateway,
      encapType: tunnel?.type,
      encap: tunnel?.data,
      fdb: fdb || undefined,
      resilient,
    });
  });
  const text = () => `nexthop ${verb} ${formatNextHop(nextHop, linkName)}`;
  return request({ type: RTM_NEWNEXTHOP, flags, payload, layout, text });
}

/** `ip nexthop add`: refused (EEXIST) where the id is taken. */
export function nextHopAdd(nextHop: NextHopObject, linkName?: LinkName): Request {
  return newNextHop("add", NLM_F_CREATE | NLM_F_EXCL, { nextHop, linkName });
}

/** `ip nexthop replace`: all routes that name the id change in one atomic step. */
export function nextHopReplace(nextHop: NextHopObject, linkName?: LinkName): Request {
  return newNextHop("replace", NLM_F_CREATE | NLM_F_REPLACE, { nextHop, linkName });
}

/** `ip nexthop delete`. Routes that name it go with it. */
export function nextHopDelete(id: number): Request {
  const payload = build((writer) => {
    writeHeader(writer, { group: [] });
    attributes.encode(writer, { id });
  });
  const text = () => `nexthop delete id ${id}`;
  return request({ type: RTM_DELNEXTHOP, flags: 0, payload, layout, text });
}

export function nextHopDump(): Request {
  const payload = build((writer) => writeHeader(writer, { group: [] }));
  return request({ type: RTM_GETNEXTHOP, flags: 0, payload, layout, text: () => "nexthop show" });
}

/** As `ip nexthop show` prints it, without its trailing blank. */
export function formatNextHop(nextHop: NextHopObject, linkName?: LinkName): string {
  const { id = 0, group, blackhole, gateway, device, onlink, fdb, protocol, encap } = nextHop;
  const { resilient, scope, flags = [] } = nextHop;
  let text = `id ${id} `;
  if (group) {
    const shown = group.map((each) =>
      each.weight === undefined || each.weight === 1 ? `${each.id}` : `${each.id},${each.weight}`,
    );
    text += `group ${shown.join("/")} `;
  }
  if (resilient) {
    text += "type resilient ";
    if (resilient.buckets !== undefined) text += `buckets ${resilient.buckets} `;
  }
  if (encap) text += encapText(encap);
  if (gateway !== undefined) text += `via ${formatAddress(gateway)} `;
  if (device !== undefined) text += `dev ${deviceText(device, linkName)} `;
  if (scope !== undefined && scope !== "global") text += `scope ${scope} `;
  if (blackhole) text += "blackhole ";
  if (protocol) text += `proto ${routeProtocols.name(protocol)} `;
  if (flags.includes("dead")) text += "dead ";
  if (onlink) text += "onlink ";
  for (const each of flags) if (each !== "dead") text += `${each} `;
  if (fdb) text += "fdb ";
  return text.trimEnd();
}
