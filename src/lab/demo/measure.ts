/** What one mode is like: next hops, path MTU, round trips and throughput between pods. */

import { openRouteSocket } from "../../netlink/index.ts";
import { IPIP_DEVICE, VXLAN_DEVICE } from "../../plan/index.ts";
import type { LabState } from "../lab-state.ts";
import {
  type Endpoint,
  measurePathMtu,
  measureRoundTrip,
  measureThroughput,
} from "../probe/index.ts";
import type { ModeFacts, PathPair } from "./report.ts";

const RTPROT_BIRD = 12;
const RTPROT_FELIX = 80;

/** Pods on two nodes of the first subnet, and one beyond the router. */
export function pathEnds(lab: LabState): {
  from: Endpoint;
  sameSubnet: Endpoint;
  crossSubnet: Endpoint;
} {
  const [first] = lab.nodes;
  const near = lab.nodes.find((node) => node !== first && node.subnet === first?.subnet);
  const far = lab.nodes.find((node) => node.subnet !== first?.subnet);
  const podOn = (node: string | undefined): Endpoint => {
    const pod = lab.pods.find((candidate) => candidate.node === node);
    if (!pod)
      throw new RangeError(
        "the lab is too small: it needs pods on two nodes of one subnet and on one of another",
      );
    return pod;
  };
  return { from: podOn(first?.name), sameSubnet: podOn(near?.name), crossSubnet: podOn(far?.name) };
}

export async function measureMode(
  lab: LabState,
  mode: string,
  seconds: number,
): Promise<ModeFacts> {
  const { from, sameSubnet, crossSubnet } = pathEnds(lab);
  const rtt = (to: Endpoint) => {
    const { p50Us, p99Us } = measureRoundTrip({ from, to });
    return { p50Us, p99Us };
  };
  const throughputGbps: PathPair<number> = {
    sameSubnet: await measureThroughput(from, sameSubnet, { seconds }),
    crossSubnet: await measureThroughput(from, crossSubnet, { seconds }),
  };
  return {
    mode,
    nextHopDevices: await nextHopDevices(lab),
    pathMtu: {
      sameSubnet: measurePathMtu(from, sameSubnet),
      crossSubnet: measurePathMtu(from, crossSubnet),
    },
    rtt: { sameSubnet: rtt(sameSubnet), crossSubnet: rtt(crossSubnet) },
    throughputGbps,
  };
}

/** Devices that routes to remote blocks use, over all nodes: uplinks first, then tunnels. */
async function nextHopDevices(lab: LabState): Promise<string[]> {
  const found = new Set<string>();
  for (const { namespace } of lab.nodes) {
    const socket = openRouteSocket({ namespace, dumpRetries: 10 });
    try {
      const names = new Map((await socket.links()).map((link) => [link.index, link.name]));
      for (const route of await socket.routes({ family: 4 })) {
        if (route.protocol !== RTPROT_BIRD && route.protocol !== RTPROT_FELIX) continue;
        if (route.gateway === undefined || route.device === undefined) continue;
        found.add(names.get(route.device) ?? String(route.device));
      }
    } finally {
      socket.close();
    }
  }
  const rank = (name: string) => [IPIP_DEVICE, VXLAN_DEVICE].indexOf(name);
  return [...found].sort((a, b) => rank(a) - rank(b));
}
