/**
 * A kernel in memory, as far as the dataplane contract can tell: objects by name. Several fake dataplanes
 * may share one, as drivers share a real kernel over a restart. Tests disturb it and have it refuse.
 */

import { formatDestination } from "../lib/index.ts";
import type { HostSocket } from "../netlink/index.ts";
import type { HostFacts, HostRoute, RoutePlan } from "../plan/index.ts";

export interface FakeKernelOptions {
  readonly nodeAddress: string;
  readonly host: HostFacts;
}

export class FakeKernel {
  readonly nodeAddress: string;
  readonly uplink: HostFacts["uplink"];
  /** Replaced by tests that change an MTU. */
  interfaces: HostFacts["interfaces"];
  readonly hostRoutes: HostRoute[];
  /** By the host end of the pod's veth: what it takes, and what it sends at most. */
  readonly pods = new Map<string, { readonly accept: number; readonly send: number }>();
  readonly devices = new Set<string>();
  /** By the text of the destination. */
  readonly routes = new Map<string, RoutePlan>();
  /** Everything else (addresses, neighbours, sysctls, the firewall): name to value. */
  readonly objects = new Map<string, string>();
  /** Of processes of the host. */
  readonly sockets: HostSocket[] = [];
  /** What the kernel says when asked to write an object; undefined: it does so. */
  refuse: (object: string) => string | undefined = () => undefined;
  readonly #listeners = new Set<() => void>();

  constructor(options: FakeKernelOptions) {
    this.nodeAddress = options.nodeAddress;
    this.uplink = options.host.uplink;
    this.interfaces = options.host.interfaces;
    this.hostRoutes = [...options.host.routes];
    this.devices.add(options.host.uplink.name);
  }

  /** Someone else removes a route. */
  loseRoute(destination: string): void {
    this.routes.delete(destination);
    this.disturbed();
  }

  /** Someone else writes a route of ours differently. */
  alterRoute(destination: string, route: RoutePlan): void {
    this.routes.set(destination, route);
    this.disturbed();
  }

  /** All routes, sorted, as `destination device`; blackholes have device `blackhole`. */
  routeLines(): string[] {
    const lines = [...this.hostRoutes, ...this.routes.values()].map(
      ({ destination, device = "blackhole" }) => `${formatDestination(destination)} ${device}`,
    );
    return lines.sort();
  }

  /** Tells all drivers that something changed behind their backs. */
  disturbed(): void {
    for (const listener of this.#listeners) listener();
  }

  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
