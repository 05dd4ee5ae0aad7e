/** A namespace that is a node's host, and everything somebody else may do to it behind our back. */

import { execFileSync } from "node:child_process";
import { createNamespace, deleteNamespace, namespacePath } from "../../../src/lib/sys/index.ts";
import { ClusterModel, LOCAL_ADDRESS, LOCAL_ADDRESS6 } from "./cluster-model.ts";
import type { Random } from "./random.ts";

export class Host {
  readonly name: string;
  readonly path: string;
  readonly #peer: string;

  constructor(label: string) {
    this.name = `${label}-host`;
    this.#peer = `${label}-peer`;
    createNamespace(this.name, { loopback: true });
    createNamespace(this.#peer, { loopback: true });
    this.path = namespacePath(this.name);
    this.run(`ip link add eth0 type veth peer name eth0 netns ${this.#peer}
      ip addr add ${LOCAL_ADDRESS}/24 dev eth0
      ip addr add ${LOCAL_ADDRESS6}/64 dev eth0 nodad
      ip link set eth0 up
      ${ClusterModel.podDevices()
        .map((device) => `ip link add ${device} type ifb; ip link set ${device} up`)
        .join("; ")}`);
    execFileSync("nsenter", [
      `--net=${namespacePath(this.#peer)}`,
      "sh",
      "-ec",
      "ip addr add 172.139.20.1/24 dev eth0; ip link set eth0 up",
    ]);
    this.run(`ip route add default via 172.139.20.1
      ip -6 route add default via 2001:db8:20::1
      ip -6 route add 2001:db8:99::/64 via 2001:db8:20::1 proto static
      ip route add 192.0.2.0/24 via 172.139.20.1 proto static
      ip route add 10.244.255.0/26 via 172.139.20.1 proto static
      nft add table ip foreign; nft add chain ip foreign keep`);
  }

  /** Standard output of a shell script in the host. */
  run(script: string): string {
    return execFileSync("nsenter", [`--net=${this.path}`, "sh", "-ec", script], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  /** What nobody but its owner may touch. */
  foreign(): string {
    return this.run(
      "ip route show proto static; ip route show default; ip -6 route show proto static; ip -6 route show default; nft list table ip foreign",
    );
  }

  /** Does one random thing that an operator with a bad day might do; its name, or that it was refused. */
  drift(random: Random): string {
    const route = random.pick(
      this.run("ip -o route show proto bird; ip -o route show proto 80").split("\n"),
    );
    const destination = /^(?:blackhole )?(\S+)/.exec(route)?.[1];
    const route6 = random.pick(
      this.run("ip -6 -o route show proto bird; ip -6 -o route show proto 80").split("\n"),
    );
    const destination6 = /^(?:blackhole )?(\S+)/.exec(route6)?.[1];
    const scripts = [
      ...(destination6
        ? [
            `ip -6 route del ${destination6}`,
            `ip -6 route replace ${destination6} via 2001:db8:20::1 proto bird`,
            `ip -6 route replace blackhole ${destination6} proto 80`,
          ]
        : []),
      "ip -6 route flush proto bird",
      "ip -6 route add fd00:244::7777/128 via 2001:db8:20::1 proto bird",
      "ip link del vxlan-v6.calico",
      "ip link set vxlan-v6.calico down",
      "ip -6 addr add fd00:244::9999/128 dev vxlan-v6.calico nodad",
      "ip -6 neigh flush dev vxlan-v6.calico nud permanent",
      "nft delete table ip6 switchyard",
      "nft flush table ip6 switchyard",
      "echo 0 > /proc/sys/net/ipv6/conf/all/forwarding",
      ...(destination
        ? [
            `ip route del ${destination}`,
            `ip route replace ${destination} via 172.139.20.1 proto bird`,
            `ip route replace ${destination} via 172.139.20.1 proto 80`,
          ]
        : []),
      "ip route flush proto bird",
      "ip route add 10.244.77.0/26 via 172.139.20.1 proto bird",
      "ip link set tunl0 down",
      "ip link del tunl0",
      "ip link set tunl0 mtu 1400",
      "ip link set vxlan.calico down",
      "ip link del vxlan.calico",
      "ip addr flush dev vxlan.calico",
      "ip addr add 10.244.99.9/32 dev tunl0",
      "ip neigh flush dev vxlan.calico nud permanent",
      "bridge fdb del $(bridge fdb show dev vxlan.calico | grep -m1 dst | sed 's/ .*//') dev vxlan.calico",
      "nft delete table ip switchyard",
      "nft flush table ip switchyard",
      "echo 0 > /proc/sys/net/ipv4/ip_forward",
      "tc filter del dev eth0 ingress",
    ];
    const script = random.pick(scripts);
    try {
      this.run(script);
      return script;
    } catch {
      return `${script} (refused)`;
    }
  }

  close(): void {
    deleteNamespace(this.name);
    deleteNamespace(this.#peer);
  }
}
