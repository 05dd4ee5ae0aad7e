/** To whom this node sends proof packets, as far as its table of the proof leads there. Pure. */

import type { ClusterView } from "../facts/index.ts";
import {
  formatAddress,
  type IpAddress,
  isHostPrefix,
  parseIpv4,
  parseIpv6,
  prefixFamily,
} from "../lib/index.ts";
import { probePairs, proofNodes, wornBetween } from "../mode/index.ts";
import type { Encapsulation, ModeChange } from "../model/index.ts";
import { IPIP_DEVICE, type NodePlan, VXLAN_DEVICE, VXLAN6_DEVICE } from "../plan/index.ts";
import type { ProofPartner } from "../probe/index.ts";

export interface ProofPartnersInput {
  readonly node: string;
  readonly change: ModeChange;
  readonly view: Pick<ClusterView, "nodes" | "nodeModes">;
  /** As the kernel has it. */
  readonly plan: Pick<NodePlan, "proof" | "ipip" | "vxlan" | "vxlan6" | "mtu">;
}

export interface ProofPartners {
  readonly ready: readonly ProofPartner[];
  readonly waiting: readonly {
    readonly node: string;
    /** As the stored addresses have it. */
    readonly encapsulation: Encapsulation;
    readonly why: string;
  }[];
}

/** Nobody where this node takes no part in the proof. */
export function proofPartners(input: ProofPartnersInput): ProofPartners {
  const { change, node, plan, view } = input;
  const family = plan.proof ? prefixFamily(plan.proof.rules[0]!.source) : 4;
  const nodes = proofNodes(view.nodes, view.nodeModes, family);
  const { pairs } = probePairs({ nodes: [...nodes.values()], seed: change.spec.seed ?? 0 });
  const ways = proofWays(plan);
  const modes = new Map(view.nodeModes.map(({ metadata, status }) => [metadata.name, status]));
  const ready: ProofPartner[] = [];
  const waiting: ProofPartners["waiting"][number][] = [];
  for (const { from, to, leads } of pairs) {
    if (from !== node) continue;
    const mode = modes.get(to);
    const probe = mode?.probeAddress;
    const said = mode?.changes?.[change.metadata.name];
    const way = probe === undefined ? undefined : ways.get(probe);
    const address = probe === undefined ? undefined : (parseIpv4(probe) ?? parseIpv6(probe));
    const [own, partner] = [nodes.get(from), nodes.get(to)];
    if (!own || !partner) continue;
    const encapsulation = way ?? wornBetween(change.spec.to ?? "none", own, partner);
    if (address === undefined || !said?.widened) {
      const why = said?.waiting?.join(", ") ?? "it has not said that it can be probed";
      waiting.push({ node: to, encapsulation, why: `${to} is not ready: ${why}` });
    } else if (way === undefined) {
      waiting.push({
        node: to,
        encapsulation,
        why: `no route to ${probe} of ${to} in the table of the proof`,
      });
    } else {
      // Without ports in the outer packet, one side's packet makes the other side's an answer.
      const first = leads || way !== "ipip";
      ready.push({ node: to, address, encapsulation, first, packetBytes: podBytes(plan) });
    }
  }
  return { ready, waiting };
}

/** What packets to each probe address wear, by the device of its route. */
function proofWays({ proof }: Pick<NodePlan, "proof">): ReadonlyMap<string, Encapsulation> {
  const byDevice: Readonly<Record<string, Encapsulation>> = {
    [IPIP_DEVICE]: "ipip",
    [VXLAN_DEVICE]: "vxlan",
    [VXLAN6_DEVICE]: "vxlan-v6",
  };
  const ways = new Map<string, Encapsulation>();
  for (const { destination, device = "", kind } of proof?.routes ?? []) {
    if (kind !== "unicast" || !isHostPrefix(destination)) continue;
    ways.set(textOf(destination.address), byDevice[device] ?? "none");
  }
  return ways;
}

const textOf = (address: IpAddress) => formatAddress(address);

/** Largest packet of pods in the new mode: also what goes without encapsulation is no larger. */
function podBytes({ proof, ipip, vxlan, vxlan6, mtu }: ProofPartnersInput["plan"]): number {
  const devices = new Map(
    [ipip, vxlan, vxlan6].flatMap((one) => (one ? [[one.device, one.mtu]] : [])),
  );
  const tunnels = (proof?.routes ?? []).flatMap(({ device = "" }) => devices.get(device) ?? []);
  return Math.min(mtu.host, ...tunnels);
}
