/** A cluster as a node's planner sees it, changed at random: pools, nodes, blocks, what must be received. */

import type { KernelState } from "../../../src/dataplane/index.ts";
import {
  addressAt,
  formatPrefix,
  hostPrefix,
  type Ipv4,
  type Ipv6,
  ipAddress,
  ipv4,
  isPrefix4,
  type Prefix4,
  prefix,
  prefix4,
} from "../../../src/lib/index.ts";
import { type Encapsulation, encapsulations } from "../../../src/model/index.ts";
import type { BlockFacts, PoolFacts, Snapshot } from "../../../src/plan/index.ts";
import { settings } from "../../../src/plan/testing/snapshot.ts";
import type { Random } from "./random.ts";

const modes: readonly Pick<PoolFacts, "ipipMode" | "vxlanMode">[] = [
  { ipipMode: "Always", vxlanMode: "Never" },
  { ipipMode: "CrossSubnet", vxlanMode: "Never" },
  { ipipMode: "Never", vxlanMode: "Always" },
  { ipipMode: "Never", vxlanMode: "CrossSubnet" },
  { ipipMode: "Never", vxlanMode: "Never" },
];

export const LOCAL = "local";
export const LOCAL_ADDRESS = "172.139.20.75";
export const LOCAL_ADDRESS6 = "2001:db8:20::75";
const POOL6 = prefix("fd00:244::/64");
const tunnels = ["ipip", "vxlan", "vxlan-v6"] as const;
const MOST_NODES = 12;
const BLOCKS = 24;

interface Remote {
  readonly name: string;
  readonly address: Ipv4;
  readonly vtep: Ipv4;
  readonly mac: string;
  readonly address6: Ipv6;
  readonly vtep6: Ipv6;
}

export class ClusterModel {
  readonly #random: Random;
  #mode = modes[0]!;
  #mode6 = modes[2]!;
  #natOutgoing = true;
  readonly #remotes = new Map<string, Remote>();
  /** Text of the block to the node it is on. */
  readonly #blocks = new Map<string, string>();
  #extraTunnels: Encapsulation[] = [];
  readonly #workloads = new Set<number>();

  constructor(random: Random) {
    this.#random = random;
    this.#blocks.set(blockText(0), LOCAL);
    this.#blocks.set(blockText6(0), LOCAL);
    for (let i = 0; i < 4; i++) this.change();
  }

  /** One random event; its name. */
  change(): string {
    const events: readonly (readonly [string, () => void])[] = [
      ["mode", () => this.#setMode()],
      ["IPv6 mode", () => this.#setMode6()],
      ["address borrowed", () => this.#borrow()],
      ["node joins", () => this.#join()],
      ["node joins", () => this.#join()],
      ["node leaves", () => this.#leave()],
      ["block claimed", () => this.#claim()],
      ["block claimed", () => this.#claim()],
      ["block moves", () => this.#claim()],
      ["block released", () => this.#release()],
      ["tunnels", () => this.#setTunnels()],
      ["nat", () => this.#toggleNat()],
      ["pod", () => this.#togglePod()],
    ];
    const [name, event] = this.#random.pick(events);
    event();
    return name;
  }

  /** Host ends of the pods that may exist; the test makes them once. */
  static podDevices(): string[] {
    return Array.from({ length: 4 }, (_, index) => podDevice(index));
  }

  snapshot(kernel: KernelState): Snapshot {
    const blocks: BlockFacts[] = [...this.#blocks].map(([text, node]) => ({
      prefix: prefix(text),
      node,
    }));
    const accepts = encapsulations;
    return {
      node: LOCAL,
      nodes: [
        {
          name: LOCAL,
          ipv4: { address: ipv4(LOCAL_ADDRESS), prefixLength: 24, vxlanMac: "66:00:00:00:00:ff" },
          ipv6: {
            address: ipAddress(LOCAL_ADDRESS6) as Ipv6,
            prefixLength: 64,
            vxlanMac: "66:00:00:00:06:ff",
          },
          accepts,
        },
        ...[...this.#remotes.values()].map(({ name, address, vtep, mac, address6, vtep6 }) => ({
          name,
          ipv4: { address, prefixLength: 24, vxlanTunnelAddress: vtep, vxlanMac: mac },
          ipv6: {
            address: address6,
            prefixLength: 64,
            vxlanTunnelAddress: vtep6,
            vxlanMac: mac.replace("66:00:00:00:00", "66:00:00:00:06"),
          },
          accepts,
        })),
      ],
      pools: [
        {
          name: "pods",
          cidr: prefix4("10.244.0.0/16"),
          ...this.#mode,
          natOutgoing: this.#natOutgoing,
          loadBalancerOnly: false,
        },
        {
          name: "pods6",
          cidr: POOL6,
          ...this.#mode6,
          natOutgoing: this.#natOutgoing,
          loadBalancerOnly: false,
        },
      ],
      blocks,
      workloads: [...this.#workloads].flatMap((index) => [
        { address: ipv4(`10.244.0.${10 + index}`), device: podDevice(index) },
        { address: ipAddress(`fd00:244::${10 + index}`), device: podDevice(index) },
      ]),
      learned: blocks.flatMap(({ prefix, node }) => {
        const remote = this.#remotes.get(node);
        if (!remote) return [];
        return [{ prefix, nextHop: isPrefix4(prefix) ? remote.address : remote.address6 }];
      }),
      host: kernel.host,
      settings,
      ipipTunnelAddress: ipv4("10.244.0.2"),
      vxlanTunnelAddress: ipv4("10.244.0.3"),
      vxlan6TunnelAddress: ipAddress("fd00:244::3") as Ipv6,
      receive: this.#receive(kernel),
      announced: encapsulations,
      current: kernel.current,
      keepUnplannedRoutes: false,
    };
  }

  /** What the mode needs, what the kernel still sends, and what others may still send. */
  #receive(kernel: KernelState): Encapsulation[] {
    const needed = new Set<Encapsulation>([...this.#extraTunnels, ...kernel.current.values()]);
    if (this.#mode.ipipMode !== "Never") needed.add("ipip");
    if (this.#mode.vxlanMode !== "Never") needed.add("vxlan");
    if (this.#mode6.vxlanMode !== "Never") needed.add("vxlan-v6");
    return tunnels.filter((tunnel) => needed.has(tunnel));
  }

  #setMode(): void {
    this.#mode = this.#random.pick(modes);
  }

  #setMode6(): void {
    this.#mode6 = this.#random.pick(modes.filter(({ ipipMode }) => ipipMode === "Never"));
  }

  /** One address of any block, of either family; given back when its node leaves or by the same draw. */
  #borrow(): void {
    const index = 1 + this.#random.below(BLOCKS);
    const block = prefix(this.#random.chance(0.5) ? blockText(index) : blockText6(index));
    const text = formatPrefix(hostPrefix(addressAt(block, 7)));
    const nodes = [...this.#remotes.keys()];
    if (this.#blocks.delete(text) || nodes.length === 0) return;
    this.#blocks.set(text, this.#random.pick(nodes));
  }

  #setTunnels(): void {
    this.#extraTunnels = tunnels.filter(() => this.#random.chance(0.5));
  }

  #toggleNat(): void {
    this.#natOutgoing = !this.#natOutgoing;
  }

  #togglePod(): void {
    const index = this.#random.below(4);
    if (!this.#workloads.delete(index)) this.#workloads.add(index);
  }

  #join(): void {
    const index = 1 + this.#random.below(MOST_NODES);
    const name = `n${index}`;
    if (this.#remotes.has(name)) return;
    const subnet = this.#random.chance(0.5) ? "172.139.20" : "172.139.30";
    this.#remotes.set(name, {
      name,
      address: ipv4(`${subnet}.${100 + index}`),
      vtep: ipv4(`10.244.200.${index}`),
      mac: `66:00:00:00:00:${index.toString(16).padStart(2, "0")}`,
      address6: ipAddress(`2001:db8:${subnet.slice(-2)}::${100 + index}`) as Ipv6,
      vtep6: ipAddress(`fd00:244::f:${index}`) as Ipv6,
    });
  }

  #leave(): void {
    const names = [...this.#remotes.keys()];
    if (names.length === 0) return;
    const name = this.#random.pick(names);
    this.#remotes.delete(name);
    for (const [text, node] of this.#blocks) if (node === name) this.#blocks.delete(text);
  }

  /** Also moves a block that another node had. */
  #claim(): void {
    const nodes = [LOCAL, ...this.#remotes.keys()];
    const text = this.#random.pick([blockText, blockText6])(1 + this.#random.below(BLOCKS));
    this.#blocks.set(text, this.#random.pick(nodes));
  }

  #release(): void {
    this.#blocks.delete(this.#random.pick([blockText, blockText6])(1 + this.#random.below(BLOCKS)));
  }
}

function blockText(index: number): string {
  const base = prefix4("10.244.0.0/26") as Prefix4;
  return formatPrefix({ address: (base.address + index * 64) as Ipv4, length: 26 });
}

function blockText6(index: number): string {
  return formatPrefix({ address: addressAt(POOL6, index * 64), length: 122 });
}

function podDevice(index: number): string {
  return `cali0000000000${index}`;
}
