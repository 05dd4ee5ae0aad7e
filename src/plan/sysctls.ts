/** Kernel switches a node needs: forwarding, proxy ARP and NDP for pods, loose reverse-path filters. */

import { isIpv4 } from "../lib/index.ts";
import { uplinkOf } from "./families.ts";
import type { TunnelPlans } from "./tunnels.ts";
import type { NodeFacts, Snapshot, SysctlPlan } from "./types.ts";

const conf = (device: string, name: string) => `net/ipv4/conf/${device}/${name}`;
const conf6 = (device: string, name: string) => `net/ipv6/conf/${device}/${name}`;

export function planSysctls(
  snapshot: Snapshot,
  local: NodeFacts,
  tunnels: TunnelPlans,
): SysctlPlan[] {
  const { host, workloads } = snapshot;
  const reason = "pods are reached through this host";
  const sysctls: SysctlPlan[] = [{ path: "net/ipv4/ip_forward", value: "1", reason }];
  if (local.ipv6) {
    // First: a host that begins to forward forgets the routers it has heard, unless this says 2
    // (rt6_purge_dflt_routers).
    sysctls.push(
      {
        path: conf6(uplinkOf(host, 6).name, "accept_ra"),
        value: "2",
        onlyIf: "1",
        reason: "router advertisements are heard by a host that forwards, too",
      },
      { path: conf6("all", "forwarding"), value: "1", reason },
    );
  }
  // While nodes change mode one after the other a packet may arrive by another way than its answer
  // leaves. Strict filtering (1) drops it; loose (2) does not, and still refuses martians.
  // IPv6 has no such filter.
  const devices = [host.uplink.name];
  if (tunnels.ipip) devices.push(tunnels.ipip.device);
  if (tunnels.vxlan) devices.push(tunnels.vxlan.device);
  for (const device of devices) {
    sysctls.push({
      path: conf(device, "rp_filter"),
      value: "2",
      onlyIfStrict: true,
      reason: "both ways of a mode change must be received",
    });
  }
  for (const { address, device } of workloads) {
    sysctls.push(...(isIpv4(address) ? workloadSysctls(device) : workloadSysctls6(device)));
  }
  return sysctls;
}

function workloadSysctls(device: string): SysctlPlan[] {
  const reason = `pod interface ${device}`;
  return [
    { path: conf(device, "proxy_arp"), value: "1", reason },
    { path: conf(device, "forwarding"), value: "1", reason },
    { path: conf(device, "route_localnet"), value: "1", reason },
    { path: `net/ipv4/neigh/${device}/proxy_delay`, value: "0", reason },
  ];
}

function workloadSysctls6(device: string): SysctlPlan[] {
  const reason = `pod interface ${device}`;
  return [
    // A pod must not make itself its host's router.
    { path: conf6(device, "accept_ra"), value: "0", reason },
    { path: conf6(device, "proxy_ndp"), value: "1", reason },
    { path: conf6(device, "forwarding"), value: "1", reason },
  ];
}
