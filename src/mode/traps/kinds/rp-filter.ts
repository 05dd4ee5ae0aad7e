/**
 * Strict reverse-path filters. The agent makes the uplink and the tunnels loose itself (src/plan/sysctls.ts), for as
 * long as it runs; what it does not touch are other devices by which packets of the new mode may come.
 */

import type { IpAddress } from "../../../lib/index.ts";
import { resolveNextHop } from "../../../plan/index.ts";
import { addressIn, hostRoutes } from "../context.ts";
import type { TrapKind, TrapNode } from "../types.ts";
import { nodesListed } from "../words.ts";

const STRICT = 1;

export const rpFilter: TrapKind = {
  code: "RP_FILTER_STRICT",
  meaning:
    "A host reaches other nodes by a device that is not its uplink and filters strictly (rp_filter 1). While nodes change one after the other packets come by another way than answers leave, and such a device drops them. The agent loosens the uplink and the tunnels only.",
  remedy:
    "Set net.ipv4.conf.DEVICE.rp_filter to 2 (loose) on these hosts, for the time of the change at least.",
  find: (context) => {
    if (context.family === 6 || context.to === undefined) return [];
    const targets = context.nodes.flatMap((node) => addressIn(context, node)?.address ?? []);
    const found = context.nodes.flatMap((node) => {
      const device = strictDevice(node, targets);
      return device === undefined ? [] : [{ name: node.name, device }];
    });
    const [first] = found;
    if (!first) return [];
    const names = found.map(({ name }) => name);
    const message = `${nodesListed(names)}: ${first.device} (${first.name}) leads to other nodes and filters strictly; during the change it may drop packets`;
    return [{ severity: "warn", message, nodes: names }];
  },
};

function strictDevice(node: TrapNode, targets: readonly IpAddress[]): string | undefined {
  const uplink = node.host?.uplink?.name;
  if (!node.host || uplink === undefined) return undefined;
  const { rpFilter } = node.host;
  const ways = hostRoutes(node);
  // Max of both counts (ip-sysctl.rst, rp_filter).
  const strict = (device: string) => Math.max(rpFilter.all ?? 0, rpFilter[device] ?? 0) === STRICT;
  const others = new Set(
    ways.map(({ device }) => device).filter((device) => device !== uplink && strict(device)),
  );
  if (others.size === 0) return undefined;
  for (const target of targets) {
    const device = resolveNextHop(ways, target)?.device;
    if (device !== undefined && others.has(device)) return device;
  }
  return undefined;
}
