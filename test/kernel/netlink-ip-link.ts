/** `ip -d -j link` in our terms: what the kernel tests of links compare with. */

import { ipAddress } from "../../src/lib/index.ts";
import type { Link } from "../../src/netlink/index.ts";
import { json } from "./netlink-fixture.ts";

type Json = Record<string, unknown>;

interface IpLink {
  readonly ifindex: number;
  readonly ifname: string;
  readonly address?: string;
  readonly mtu: number;
  readonly min_mtu: number;
  readonly max_mtu: number;
  readonly txqlen: number;
  readonly ifalias?: string;
  readonly group: string;
  readonly flags: readonly string[];
  readonly operstate: string;
  readonly master?: string;
  readonly link?: string;
  readonly link_index?: number;
  readonly link_netnsid?: number;
  readonly linkinfo?: {
    readonly info_kind?: string;
    readonly info_data?: Json;
    readonly info_slave_kind?: string;
    readonly info_slave_data?: Json;
  };
}

/** `ip` shows the carrier of links that are up only, and the kernel takes a while to settle it. */
const carrierShown = ["UP", "LOWERLAYERDOWN"];

/** Links as we read them, without what `ip` does not show. */
export function comparable(links: readonly Link[]): Link[] {
  return links.map(({ carrier, ...link }) =>
    carrierShown.includes(link.operState) ? { ...link, carrier: carrier! } : link,
  );
}

export function ipLinks(namespace: string): Link[] {
  const links = json(namespace, "ip", "-d", "-j", "link") as unknown as IpLink[];
  const indexOf = (name: unknown) => links.find(({ ifname }) => ifname === name)?.ifindex;
  return links.map((link) => {
    const { info_kind: kind, info_data: data, ...port } = link.linkinfo ?? {};
    const peer = link.link === undefined ? link.link_index : indexOf(link.link);
    return defined({
      index: link.ifindex,
      name: link.ifname,
      kind,
      mac: link.address,
      mtu: link.mtu,
      minMtu: link.min_mtu,
      maxMtu: link.max_mtu,
      up: link.flags.includes("UP"),
      arp: !link.flags.includes("NOARP"),
      operState: link.operstate,
      carrier: carrierShown.includes(link.operstate)
        ? !link.flags.includes("NO-CARRIER")
        : undefined,
      txQueueLength: link.txqlen,
      alias: link.ifalias,
      group: link.group === "default" ? undefined : Number(link.group),
      master: link.master && indexOf(link.master),
      link: peer,
      linkNetnsId: link.link_netnsid,
      ...(kind && data ? kinds[kind]?.(data, indexOf) : {}),
      bridgePort: port.info_slave_kind === "bridge" ? bridgePort(port.info_slave_data!) : undefined,
    }) as unknown as Link;
  });
}

function defined(values: Json): Json {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

const kinds: Readonly<
  Record<string, (data: Json, indexOf: (name: unknown) => number | undefined) => Json>
> = {
  vxlan: (data, indexOf) => {
    const local = data.local ?? data.local6;
    const group = data.group ?? data.remote ?? data.group6 ?? data.remote6;
    const vxlan = {
      vni: data.id,
      port: data.port,
      local: local === undefined ? undefined : ipAddress(String(local)),
      group: group === undefined ? undefined : ipAddress(String(group)),
      device: indexOf(data.link),
      learning: data.learning,
      // JSON has no word for `inherit`: the key is missing then.
      ttl: data.ttl === undefined ? "inherit" : data.ttl === 0 ? "auto" : data.ttl,
      tos: data.tos === "0x1" ? "inherit" : Number(data.tos ?? 0),
      flowLabel: Number(data.label ?? 0),
      df: data.df,
      ageingSeconds: data.ageing,
      limit: data.limit ?? 0,
      portRange: data.port_range,
      proxy: data.proxy ?? false,
      rsc: data.rsc ?? false,
      l2miss: data.l2miss ?? false,
      l3miss: data.l3miss ?? false,
      udpChecksum: data.udp_csum,
      udpZeroChecksum6Tx: data.udp_zero_csum6_tx,
      udpZeroChecksum6Rx: data.udp_zero_csum6_rx,
      remoteChecksumTx: data.remcsum_tx ?? false,
      remoteChecksumRx: data.remcsum_rx ?? false,
      external: data.external ?? false,
      vniFilter: data.vnifilter,
      gbp: data.gbp,
      gpe: data.gpe,
      // iproute2 6.1 is older than this attribute; the kernel's default is on.
      localBypass: true,
    };
    return { vxlan: defined(vxlan) };
  },
  macvlan: (data) => ({ macvlan: defined({ mode: data.mode, noPromiscuous: data.nopromisc }) }),
  bridge: (data) => ({
    bridge: defined({
      forwardDelayCentiseconds: data.forward_delay,
      helloTimeCentiseconds: data.hello_time,
      maxAgeCentiseconds: data.max_age,
      ageingTimeCentiseconds: data.ageing_time,
      stpState: data.stp_state,
      priority: data.priority,
      vlanFiltering: data.vlan_filtering === 1,
      groupForwardMask: Number(data.group_fwd_mask),
      groupAddress: data.group_addr,
      rootId: data.root_id,
      bridgeId: data.bridge_id,
      rootPort: data.root_port,
      rootPathCost: data.root_path_cost,
      multicastRouter: data.mcast_router,
      multicastSnooping: data.mcast_snooping === 1,
      multicastQuerier: data.mcast_querier === 1,
      nfCallIptables: data.nf_call_iptables === 1,
      nfCallIp6tables: data.nf_call_ip6tables === 1,
      nfCallArptables: data.nf_call_arptables === 1,
    }),
  }),
};

function bridgePort(data: Json): Json {
  return {
    state: data.state,
    priority: data.priority,
    cost: data.cost,
    hairpin: data.hairpin,
    guard: data.guard,
    rootBlock: data.root_block,
    fastLeave: data.fastleave,
    learning: data.learning,
    flood: data.flood,
    proxyArp: data.proxy_arp,
    proxyArpWifi: data.proxy_arp_wifi,
    multicastRouter: data.multicast_router,
    multicastFlood: data.mcast_flood,
    multicastToUnicast: data.mcast_to_unicast,
    vlanTunnel: data.vlan_tunnel,
    broadcastFlood: data.bcast_flood,
    groupForwardMask: Number(data.group_fwd_mask),
    neighbourSuppress: data.neigh_suppress,
    isolated: data.isolated,
    locked: data.locked,
  };
}
