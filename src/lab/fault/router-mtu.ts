/** The MTU of the router's own legs. What stays within a subnet passes their bridges without meeting it. */

import { openRouteSocket } from "../../netlink/index.ts";
import type { Topology } from "../topology.ts";
import type { FaultRecord } from "./spec.ts";

const usual = 1500;

export async function setRouterMtu(
  namespace: string,
  options: { readonly topology: Topology; readonly faults: readonly FaultRecord[] },
): Promise<void> {
  const small = options.faults.flatMap(({ spec }) =>
    spec.kind === "small-mtu" && spec.router ? [spec.mtu] : [],
  );
  const mtu = Math.min(usual, ...small);
  const socket = openRouteSocket({ namespace });
  try {
    for (const { bridge } of options.topology.subnets) {
      const link = await socket.link(bridge);
      if (link && link.mtu !== mtu) await socket.changeLink(link.index, { mtu });
    }
  } finally {
    socket.close();
  }
}
