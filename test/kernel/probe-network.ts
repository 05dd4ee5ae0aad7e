/**
 * Two or more hosts around a router, each in a namespace of its own, with a probe address on `lo` and routes
 * between them: what probes are sent over, and faults are put into.
 */

import type { TestContext } from "node:test";
import { type IpAddress, ipAddress } from "../../src/lib/index.ts";
import { createNamespace, deleteNamespace } from "../../src/lib/sys/index.ts";
import { sh } from "./ipip-namespaces.ts";

let serial = 0;

export interface ProbeHost {
  readonly name: string;
  readonly namespace: string;
  readonly path: string;
  /** Of its device towards the router. */
  readonly host: string;
  readonly probe: IpAddress;
  readonly probeText: string;
}

export interface ProbeNetwork {
  readonly hosts: readonly ProbeHost[];
  readonly router: string;
  /** Runs lines in a namespace, by `nsenter`. */
  readonly inside: (namespace: string, script: string) => string;
}

/** `plain`: by plain routes; `vxlan`: through a VXLAN device of each host. */
export function probeNetwork(
  t: TestContext,
  options: { readonly hosts: number; readonly encapsulation?: "plain" | "vxlan" },
): ProbeNetwork {
  const prefix = `prb${process.pid}x${serial++}`;
  const inside = (namespace: string, script: string) =>
    sh(`nsenter --net=/run/netns/${namespace} sh -ec '${script}'`);
  const make = (name: string) => {
    const full = `${prefix}${name}`;
    createNamespace(full, { loopback: true });
    t.after(() => deleteNamespace(full));
    return full;
  };
  const router = make("r");
  inside(router, "echo 1 > /proc/sys/net/ipv4/ip_forward");
  const hosts = Array.from({ length: options.hosts }, (_, index): ProbeHost => {
    const namespace = make(`h${index}`);
    const probeText = `10.99.${index}.1`;
    return {
      name: `host-${"abcdefgh"[index]}`,
      namespace,
      path: `/run/netns/${namespace}`,
      host: `172.31.${index}.2`,
      probe: ipAddress(probeText),
      probeText,
    };
  });
  for (const [index, { namespace, host, probeText }] of hosts.entries()) {
    sh(`ip -n ${router} link add p${index} type veth peer name eth0 netns ${namespace}`);
    sh(`ip -n ${router} addr add 172.31.${index}.1/24 dev p${index}
        ip -n ${router} link set p${index} up
        ip -n ${router} route add ${probeText}/32 via ${host}
        ip -n ${namespace} addr add ${host}/24 dev eth0
        ip -n ${namespace} link set eth0 up
        ip -n ${namespace} addr add ${probeText}/32 dev lo
        ip -n ${namespace} route add default via 172.31.${index}.1`);
  }
  if (options.encapsulation === "vxlan") addVxlan(hosts);
  return { hosts, router, inside };
}

function addVxlan(hosts: readonly ProbeHost[]): void {
  for (const [index, { namespace, host }] of hosts.entries()) {
    sh(`ip -n ${namespace} link add vx address 66:00:00:00:00:0${index} type vxlan \
          id 4096 dstport 4789 local ${host} nolearning
        ip -n ${namespace} link set vx mtu 1450 up`);
    for (const [other, { host: remote, probeText }] of hosts.entries()) {
      if (other === index) continue;
      const mac = `66:00:00:00:00:0${other}`;
      sh(`ip -n ${namespace} route add ${probeText}/32 dev vx
          ip -n ${namespace} neigh add ${probeText} dev vx lladdr ${mac} nud permanent
          bridge -n ${namespace} fdb add ${mac} dev vx dst ${remote}`);
    }
  }
}
