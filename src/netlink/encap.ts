/** RTA_ENCAP and NHA_ENCAP: lightweight tunnels, the header a route puts in front (linux/lwtunnel.h). */

import type { IpAddress, Ipv4, Ipv6 } from "../lib/index.ts";
import { type AttributeCodec, type AttributeTable, attributeTable, nested } from "./attribute.ts";
import { ipv4Address, ipv6Address, text, u8, u16be, u32, u64be } from "./codecs.ts";
import { defined } from "./header.ts";
import type { RouteEncap } from "./types-route.ts";
import { Writer } from "./writer.ts";

/** A stack of MPLS labels (RFC 3032 2.1): label 20 bits, class 3, bottom 1, TTL 8. */
const labels: AttributeCodec<readonly number[]> = {
  what: "label stack",
  accepts: (length) => length > 0 && length % 4 === 0,
  read: (view, offset, length) =>
    Array.from({ length: length / 4 }, (_, i) => view.getUint32(offset + i * 4) >>> 12),
  write(writer, stack) {
    for (const [i, label] of stack.entries()) {
      writer.u32be(((label << 12) | (i === stack.length - 1 ? 0x100 : 0)) >>> 0);
    }
  },
};

const ipTable = attributeTable("LWTUNNEL_IP", {
  id: [1, "LWTUNNEL_IP_ID", u64be],
  destination: [2, "LWTUNNEL_IP_DST", ipv4Address],
  source: [3, "LWTUNNEL_IP_SRC", ipv4Address],
  ttl: [4, "LWTUNNEL_IP_TTL", u8],
  tos: [5, "LWTUNNEL_IP_TOS", u8],
  flags: [6, "LWTUNNEL_IP_FLAGS", u16be],
});

const ip6Table = attributeTable("LWTUNNEL_IP6", {
  id: [1, "LWTUNNEL_IP6_ID", u64be],
  destination: [2, "LWTUNNEL_IP6_DST", ipv6Address],
  source: [3, "LWTUNNEL_IP6_SRC", ipv6Address],
  ttl: [4, "LWTUNNEL_IP6_HOPLIMIT", u8],
  tos: [5, "LWTUNNEL_IP6_TC", u8],
  flags: [6, "LWTUNNEL_IP6_FLAGS", u16be],
});

const mplsTable = attributeTable("MPLS_IPTUNNEL", {
  labels: [1, "MPLS_IPTUNNEL_DST", labels],
  ttl: [2, "MPLS_IPTUNNEL_TTL", u8],
});

const bpfProgram = attributeTable("LWT_BPF_PROG", {
  fd: [1, "LWT_BPF_PROG_FD", u32],
  name: [2, "LWT_BPF_PROG_NAME", text],
});

const bpfTable = attributeTable("LWT_BPF", {
  in: [1, "LWT_BPF_IN", nested(bpfProgram)],
  out: [2, "LWT_BPF_OUT", nested(bpfProgram)],
  xmit: [3, "LWT_BPF_XMIT", nested(bpfProgram)],
  headroomBytes: [4, "LWT_BPF_XMIT_HEADROOM", u32],
});

const tables = { mpls: mplsTable, ip: ipTable, ip6: ip6Table, bpf: bpfTable } as const;

/** LWTUNNEL_ENCAP_*. */
const types: Readonly<Record<number, keyof typeof tables>> = {
  1: "mpls",
  2: "ip",
  4: "ip6",
  6: "bpf",
};
const numbers = { mpls: 1, ip: 2, ip6: 4, bpf: 6 } as const;

export function encapTable(type: unknown): AttributeTable<object> | undefined {
  const kind = types[Number(type)];
  return kind && tables[kind];
}

/** The kernel says 0 for an address, a TTL or flags that are not set. @throws NETLINK_MALFORMED. */
export function decodeEncap(type: number, data: Uint8Array): RouteEncap {
  const kind = types[type];
  if (kind === undefined) return { kind: "other", type, data };
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const end = view.byteLength;
  if (kind === "mpls") {
    const { labels, ttl } = mplsTable.decode(view, 0, end);
    return defined({ kind, labels: labels ?? [], ttl: ttl || undefined });
  }
  if (kind === "bpf") {
    const { in: input, out, xmit, headroomBytes } = bpfTable.decode(view, 0, end);
    return defined({
      kind,
      in: input && defined(input),
      out: out && defined(out),
      xmit: xmit && defined(xmit),
      headroomBytes,
    });
  }
  const table = tables[kind] as typeof ipTable | typeof ip6Table;
  const { id, destination, source, ttl, tos, flags } = table.decode(view, 0, end);
  return defined({
    kind,
    id: id || undefined,
    destination: (destination as IpAddress | undefined) || undefined,
    source: (source as IpAddress | undefined) || undefined,
    ttl: ttl || undefined,
    tos: tos || undefined,
    flags: flags || undefined,
  }) as RouteEncap;
}

/** Has a writer of its own: the message around it uses the shared one. */
export function encodeEncap(encap: RouteEncap): {
  readonly type: number;
  readonly data: Uint8Array;
} {
  const writer = new Writer();
  switch (encap.kind) {
    case "other":
      return encap;
    case "mpls":
      mplsTable.encode(writer, encap);
      break;
    case "bpf":
      bpfTable.encode(writer, encap);
      break;
    case "ip":
      ipTable.encode(writer, { ...encap, destination: encap.destination as Ipv4 | undefined });
      break;
    case "ip6":
      ip6Table.encode(writer, { ...encap, destination: encap.destination as Ipv6 | undefined });
      break;
  }
  return { type: numbers[encap.kind], data: writer.take() };
}
