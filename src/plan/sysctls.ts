/** Kernel switches a node needs: forwarding, proxy ARP for pods, loose reverse-path filters. */

import type { TunnelPlans } from "./tunnels.ts";
import type { Snapshot, SysctlPlan } from "./types.ts";

const conf = (device: string, name: string) => `net/ipv4/conf/${device}/${name}`;

export function planSysctls(snapshot: Snapshot, tunnels: TunnelPlans): SysctlPlan[] {
  const reason = "pods are reached through this host";
  const sysctls: SysctlPlan[] = [{ path: "net/ipv4/ip_forward", value: "1", reason }];
  // While nodes change mode one after the other a packet may arrive by another way than its answer
  // leaves. Strict filtering (1) drops it; loose (2) does not, and still refuses martians.
  const devices = [snapshot.host.uplink.name];
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
  for (const { device } of snapshot.workloads) {
    const pod = `pod interface ${device}`;
    sysctls.push(
      { path: conf(device, "proxy_arp"), value: "1", reason: pod },
      { path: conf(device, "forwarding"), value: "1", reason: pod },
      { path: conf(device, "route_localnet"), value: "1", reason: pod },
      { path: `net/ipv4/neigh/${device}/proxy_delay`, value: "0", reason: pod },
    );
  }
  return sysctls;
}
