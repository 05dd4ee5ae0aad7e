/** The dataplane contract on a {@link FakeKernel}; `contract.test-suite.ts` keeps it true to the real one. */

import {
  formatAddress,
  formatPrefix,
  type IpAddress,
  type Prefix,
  prefixEquals,
  prefixesOverlap,
  SwitchyardError,
} from "../lib/index.ts";
import type { Encapsulation } from "../model/index.ts";
import type { HostSocket } from "../netlink/index.ts";
import {
  diffObjects,
  type NodePlan,
  type PrefixChange,
  planObjects,
  renderRoute,
} from "../plan/index.ts";
import type { FakeKernel } from "./fake-kernel.ts";
import { encapsulationOf, isWorkloadDevice, TUNNEL_DEVICES } from "./ownership.ts";
import type { Actual, Comparison, Dataplane, Failure, KernelState } from "./types.ts";

export class FakeDataplane implements Dataplane {
  readonly kernel: FakeKernel;
  /** Every plan applied, in order. */
  readonly applied: NodePlan[] = [];
  readonly #unwatch: (() => void)[] = [];

  constructor(kernel: FakeKernel) {
    this.kernel = kernel;
  }

  async read(nodeAddress: string): Promise<KernelState> {
    const { kernel } = this;
    if (nodeAddress !== kernel.nodeAddress) {
      throw new SwitchyardError(
        "PREREQUISITE_MISSING",
        `find the uplink: no device holds the node's address ${nodeAddress}`,
      );
    }
    const receives = this.#tunnels();
    const { uplink, interfaces } = kernel;
    const host = { uplink, interfaces, routes: [...kernel.hostRoutes] };
    const podMtus = new Map([...kernel.pods].map(([device, { accept }]) => [device, accept]));
    return { host, current: this.#current(), receives, podMtus };
  }

  async apply(plan: NodePlan): Promise<Actual> {
    this.applied.push(plan);
    const { devices = [], send = 0, accept = 0 } = plan.podMtu ?? {};
    for (const device of devices) {
      if (this.kernel.pods.has(device)) this.kernel.pods.set(device, { send, accept });
    }
    const failures: Failure[] = [];
    let changes = 0;
    const { kernel } = this;
    const refused = (object: string) => {
      const why = kernel.refuse(object);
      if (why !== undefined) failures.push({ object, message: `${object}: ${why}` });
      return why !== undefined;
    };
    const wanted = plannedObjects(plan);
    for (const [object, value] of wanted) {
      if (kernel.objects.get(object) === value || refused(object)) continue;
      kernel.objects.set(object, value);
      if (object.startsWith("device ")) kernel.devices.add(object.slice(7));
      changes++;
    }
    const failed: Prefix[] = [];
    const keep = new Set<string>();
    for (const route of plan.routes) {
      const key = formatPrefix(route.destination);
      const object = `route ${key}`;
      keep.add(key);
      const held = kernel.routes.get(key);
      if (held !== undefined && renderRoute(held) === renderRoute(route)) continue;
      const obstacle = this.#obstacle(route.device, route.destination);
      if (obstacle !== undefined) {
        const text = renderRoute(route);
        failures.push({ object, message: `route ${text} was not written: ${obstacle}` });
      }
      if (obstacle !== undefined || refused(object)) {
        failed.push(route.destination);
        continue;
      }
      kernel.routes.set(key, route);
      changes++;
    }
    for (const [key, route] of kernel.routes) {
      if (keep.has(key) || plan.keepUnplannedRoutes) continue;
      if (failed.some((prefix) => prefixesOverlap(prefix, route.destination))) {
        const message = `route ${renderRoute(route)} was kept: its replacement failed`;
        failures.push({ object: `route ${key}`, message });
        continue;
      }
      kernel.routes.delete(key);
      changes++;
    }
    changes += this.#narrow(wanted);
    return {
      current: this.#current(),
      receives: ["none", ...this.#tunnels()],
      failures,
      ...(plan.ipip ? { ipipBackend: "bpf" as const } : {}),
      changes,
    };
  }

  async compare(plan: NodePlan): Promise<Comparison> {
    const { kernel } = this;
    const planned = plannedObjects(plan);
    const wanted = [...planned.keys()].map((key) => ({ key, line: key, reason: "planned" }));
    const held = [...kernel.objects]
      // A sysctl that nobody plans is nobody's.
      .filter(([key]) => planned.has(key) || !key.startsWith("sysctl "))
      .map(([key, value]) => ({ key, line: planned.get(key) === value ? key : `${key} ${value}` }));
    const routes = planObjects(plan).filter(
      ({ key }) => key.startsWith("route ") && !planned.has(key),
    );
    const heldRoutes = [...kernel.routes].map(([key, route]) => ({
      key: `route ${key}`,
      line: `route ${renderRoute(route)}`,
    }));
    const differences = diffObjects([...wanted, ...routes], [...held, ...heldRoutes]);
    return { objects: wanted.length + routes.length, differences };
  }

  /** The whole plan, which comes to the same. */
  applyChanges(plan: NodePlan, _changes: readonly PrefixChange[]): Promise<Actual | undefined> {
    return this.apply(plan);
  }

  async socketsOn(address: IpAddress): Promise<readonly HostSocket[]> {
    return this.kernel.sockets.filter(({ source }) => source === address);
  }

  onDrift(listener: () => void): () => void {
    const unwatch = this.kernel.watch(listener);
    this.#unwatch.push(unwatch);
    return unwatch;
  }

  async close(): Promise<void> {
    for (const unwatch of this.#unwatch.splice(0)) unwatch();
  }

  #obstacle(device: string | undefined, destination: Prefix): string | undefined {
    if (device !== undefined && !this.#hasDevice(device)) return `device ${device} does not exist`;
    const foreign = this.kernel.hostRoutes.find((route) =>
      prefixEquals(route.destination, destination),
    );
    return foreign && `${formatPrefix(destination)} dev ${foreign.device} is there and is not ours`;
  }

  #hasDevice(device: string): boolean {
    return (
      this.kernel.devices.has(device) ||
      isWorkloadDevice({ workloadDevicePrefix: "cali", protocols: [] }, device)
    );
  }

  /** Removes what is not planned and carries no route. */
  #narrow(wanted: ReadonlyMap<string, string>): number {
    const { kernel } = this;
    const used = new Set([...kernel.routes.values()].map((route) => route.device));
    let changes = 0;
    for (const object of [...kernel.objects.keys()]) {
      // The kernel keeps a sysctl that nobody plans any more.
      if (wanted.has(object) || object.startsWith("sysctl ")) continue;
      const device = object.startsWith("device ") ? object.slice(7) : undefined;
      if (device !== undefined && used.has(device)) continue;
      kernel.objects.delete(object);
      if (device !== undefined) kernel.devices.delete(device);
      changes++;
    }
    return changes;
  }

  #tunnels(): Encapsulation[] {
    return (["ipip", "vxlan", "vxlan-v6"] as const).filter((kind) =>
      this.kernel.devices.has(TUNNEL_DEVICES[kind]),
    );
  }

  #current(): Map<string, Encapsulation> {
    const current = new Map<string, Encapsulation>();
    for (const [key, route] of this.kernel.routes) {
      if (route.kind !== "unicast" || route.device?.startsWith("cali")) continue;
      current.set(key, encapsulationOf(route.device));
    }
    return current;
  }
}

function plannedObjects(plan: NodePlan): Map<string, string> {
  const { ipip } = plan;
  const objects = new Map<string, string>();
  for (const vxlan of [plan.vxlan, plan.vxlan6]) {
    if (!vxlan) continue;
    objects.set(`device ${vxlan.device}`, `${vxlan.vni} ${vxlan.port} ${vxlan.mac} ${vxlan.mtu}`);
    for (const { address, mac, node } of vxlan.neighbours) {
      objects.set(`neighbour ${formatAddress(address)} dev ${vxlan.device}`, mac);
      objects.set(`fdb ${mac} dev ${vxlan.device}`, formatAddress(node));
    }
  }
  if (ipip) {
    objects.set(`device ${ipip.device}`, `${ipip.mtu} ${formatAddress(ipip.local)}`);
    for (const { prefix, node } of ipip.destinations) {
      objects.set(`ipip destination ${formatPrefix(prefix)}`, formatAddress(node));
    }
    for (const sender of ipip.senders) objects.set(`ipip sender ${formatAddress(sender)}`, "");
  }
  for (const { device, prefix } of plan.addresses) {
    objects.set(`address ${formatPrefix(prefix)} dev ${device}`, "");
  }
  for (const rule of plan.proof?.rules ?? []) {
    objects.set(`rule ${formatPrefix(rule.source)} ${rule.ipProtocol} ${rule.end}`, textOf(rule));
  }
  for (const route of plan.proof?.routes ?? []) {
    const object = `route ${formatPrefix(route.destination)} table ${plan.proof?.table}`;
    objects.set(object, renderRoute(route));
  }
  for (const { path, value } of plan.sysctls) objects.set(`sysctl ${path}`, value);
  objects.set("firewall", textOf(plan.firewall));
  if (plan.firewall6) objects.set("firewall6", textOf(plan.firewall6));
  return objects;
}

/** JSON; IPv6 addresses are bigints, which JSON itself does not know. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, item) => (typeof item === "bigint" ? `${item}` : item));
}
