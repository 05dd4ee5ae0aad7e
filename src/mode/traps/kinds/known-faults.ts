/** Drivers and kernels that are known to spoil a mode. Each row has its source; what has none is not here. */

import { uplinkIn } from "../context.ts";
import type { Finding, TrapContext, TrapKind, TrapNode } from "../types.ts";
import { nodesListed } from "../words.ts";

interface Fault {
  /** Where it is described. */
  readonly source: string;
  readonly affects: (node: TrapNode, context: TrapContext) => boolean;
  readonly words: (context: TrapContext) => string;
  readonly remedy: (device: string) => string;
}

const sendsVxlan = ({ tunnel }: TrapContext) => tunnel === "vxlan" || tunnel === "vxlan-v6";
const sendsPlain = ({ to }: TrapContext) => to !== undefined && !["ipip", "vxlan"].includes(to);

const faults: readonly Fault[] = [
  {
    source: "https://github.com/projectcalico/calico/issues/3145, felix pull request 2811",
    affects: ({ host }, context) => sendsVxlan(context) && isOlder(host?.kernel, [5, 7]),
    words: () =>
      "kernels before 5.7 compute wrong checksums for VXLAN packets that are masqueraded as well: connections by a Service hang for a minute",
    remedy: () => "ethtool -K vxlan.calico tx off on these hosts, as Felix does, or a newer kernel",
  },
  {
    source: "https://github.com/projectcalico/calico/issues/9433",
    affects: ({ host }, context) =>
      sendsVxlan(context) &&
      host?.driver === "vmxnet3" &&
      host.offloads.some((name) => /^tx-(checksum|udp_tnl)/.test(name)),
    words: () => "on some ESXi the offloads of vmxnet3 lose TCP inside of VXLAN, while ping works",
    remedy: (device) =>
      `ethtool -K ${device} tx-udp_tnl-segmentation off tx-udp_tnl-csum-segmentation off (or tx off) on these hosts if the proof fails for TCP`,
  },
  {
    source: "https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq",
    affects: ({ host }, { tunnel }) => tunnel === "ipip" && host?.driver === "hv_netvsc",
    words: () => "in Azure (the driver is Hyper-V's) virtual networks drop IP-in-IP",
    remedy: () => "choose vxlan in Azure; on a Hyper-V of your own the proof shows what holds",
  },
  {
    source: "https://learn.microsoft.com/azure/virtual-network/virtual-network-network-interface",
    affects: ({ host }, context) => sendsPlain(context) && host?.driver === "hv_netvsc",
    words: () =>
      "in Azure (the driver is Hyper-V's) packets with addresses that are not the interface's are dropped",
    remedy: () =>
      "enable IP forwarding at each interface and routes for the blocks, or choose vxlan",
  },
  {
    source: "https://docs.aws.amazon.com/vpc/latest/userguide/work-with-nat-instances.html",
    affects: ({ host }, context) => sendsPlain(context) && host?.driver === "ena",
    words: () =>
      "EC2 (the driver is ena) drops packets with pods' addresses while source/destination checks are on",
    remedy: () =>
      "aws ec2 modify-instance-attribute --no-source-dest-check for every node; only ipip or vxlan pass between subnets",
  },
];

export const knownFaults: TrapKind = {
  code: "KNOWN_FAULT",
  meaning:
    "A driver or kernel of some nodes is known to spoil the new mode: checksums of VXLAN in kernels before 5.7, offloads of vmxnet3, clouds that drop IP-in-IP (Azure) or pods' addresses (Azure, EC2). The proof finds out whether it is so here.",
  remedy: "As the message says; look at the proof's TCP results for these nodes.",
  find: (context) =>
    faults.flatMap((fault): Finding[] => {
      const hit = context.nodes.filter((node) => fault.affects(node, context));
      const [first] = hit;
      if (!first) return [];
      const names = hit.map(({ name }) => name);
      const message = `${nodesListed(names)}: ${fault.words(context)} (${fault.source})`;
      const remedy = fault.remedy(uplinkIn(context, first)?.name ?? "DEVICE");
      return [{ severity: "warn", message, nodes: names, remedy }];
    }),
};

function isOlder(release: string | undefined, than: readonly [number, number]): boolean {
  const found = /^(\d+)\.(\d+)/.exec(release ?? "");
  if (!found) return false;
  const [major, minor] = [Number(found[1]), Number(found[2])];
  return major < than[0] || (major === than[0] && minor < than[1]);
}
