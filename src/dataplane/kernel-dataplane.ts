/** The dataplane contract on a real kernel: rtnetlink, /proc/sys, nftables, and BPF where IP-in-IP needs it. */

import type { Clock, IpAddress } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import type { Encapsulation } from "../model/index.ts";
import {
  type HostSocket,
  type Link,
  openRouteSocket,
  openSocketDiag,
  type RouteSocket,
  type SocketDiag,
} from "../netlink/index.ts";
import type { NodePlan, PrefixChange } from "../plan/index.ts";
import { type ApplyContext, ApplyRun } from "./apply-context.ts";
import { applyPlan } from "./apply-plan.ts";
import { changeRoutes } from "./apply-routes.ts";
import { comparePlan } from "./compare.ts";
import { CurrentEncapsulations } from "./current-encapsulations.ts";
import { DriftWatch } from "./drift.ts";
import { Firewall } from "./firewall.ts";
import { type IpipBackend, openIpipBackend } from "./ipip/index.ts";
import { IpipDriver } from "./ipip-driver.ts";
import { hostFacts, receivedTunnels } from "./kernel-state.ts";
import { type KernelTables, readRoutes, readTables } from "./kernel-tables.ts";
import { nft, type RunNft } from "./nft.ts";
import { defaultOwnership, isTunnelDevice, isWorkloadDevice, type Ownership } from "./ownership.ts";
import { PodMtuDriver, podMtus } from "./pod-mtu.ts";
import { PodNamespaces } from "./pod-namespaces.ts";
import { RouteKeeper } from "./route-keeper.ts";
import { TamperWatch } from "./tamper-watch.ts";
import type { Actual, Comparison, Dataplane, KernelState } from "./types.ts";
import { UplinkHook } from "./uplink-hook.ts";

export interface DataplaneOptions {
  /** Path of a network namespace; the process's own unless told. */
  readonly namespace?: string;
  readonly clock: Clock;
  readonly log: Log;
  /** What carries IP-in-IP; the kernel's module where there is one, else BPF, unless told. */
  readonly ipip?: "kernel" | "bpf";
  /** What is ours before the first plan says so; protocols 12 and 80, devices `cali...`, unless told. */
  readonly ownership?: Ownership;
  /** Time after which an unchanged firewall is looked at again; 2000 unless told. */
  readonly firewallCheckMs?: number;
  /** Time after which all routes are read again though no event asks for it; 25,000 unless told. */
  readonly routeCheckMs?: number;
}

const DUMP_RETRIES = 5;
const FIREWALL_CHECK_MS = 2000;
const ROUTE_CHECK_MS = 25_000;

/** @throws SYSTEM_CALL_FAILED if the namespace cannot be entered. */
export async function openDataplane(options: DataplaneOptions): Promise<Dataplane> {
  const { namespace, ipip } = options;
  const where = namespace === undefined ? {} : { namespace };
  const socket = openRouteSocket({ dumpRetries: DUMP_RETRIES, ...where });
  const openIpip = () =>
    openIpipBackend({ ...where, ...(ipip === undefined ? {} : { prefer: ipip }) });
  try {
    return new KernelDataplane(options, { socket, openIpip, runNft: nft });
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** What reaches the kernel. */
export interface DataplaneParts {
  readonly socket: RouteSocket;
  readonly openIpip: () => Promise<IpipBackend>;
  readonly runNft: RunNft;
}

export class KernelDataplane implements Dataplane {
  readonly #options: DataplaneOptions;
  readonly #socket: RouteSocket;
  readonly #firewall: Firewall;
  readonly #firewall6: Firewall;
  readonly #ipip: IpipDriver;
  readonly #uplinkHook: UplinkHook | undefined;
  readonly #drift: DriftWatch;
  readonly #routes: RouteKeeper;
  readonly #tamper: TamperWatch;
  #devices: ReadonlySet<number> = new Set();
  readonly #proved = new Set<Encapsulation>();
  readonly #pods: PodMtuDriver;
  #ownership: Ownership;
  #uplink: string | undefined;
  /** Opened when first asked. */
  #sockets: SocketDiag | undefined;
  #last: Promise<unknown> = Promise.resolve();
  /** What changes of single prefixes rest on: the end of an apply without failures. */
  #settled:
    | { readonly tables: KernelTables; readonly actual: Actual; readonly seen: number }
    | undefined;

  constructor(options: DataplaneOptions, parts: DataplaneParts) {
    const { namespace, clock, log, ipip } = options;
    const { socket, runNft: run } = parts;
    const { firewallCheckMs = FIREWALL_CHECK_MS, routeCheckMs = ROUTE_CHECK_MS } = options;
    const where = namespace === undefined ? {} : { namespace };
    this.#options = options;
    this.#socket = socket;
    this.#ownership = options.ownership ?? defaultOwnership;
    const firewall = { ...where, clock, log, run, checkMs: firewallCheckMs };
    this.#firewall = new Firewall({ ...firewall, family: 4 });
    this.#firewall6 = new Firewall({ ...firewall, family: 6 });
    this.#ipip = new IpipDriver(parts.openIpip);
    this.#pods = new PodMtuDriver({ socket, namespaces: new PodNamespaces({ socket, clock }) });
    this.#uplinkHook = ipip === "kernel" ? undefined : new UplinkHook({ ...where, log });
    this.#routes = new RouteKeeper({
      read: () => readRoutes(socket),
      catchUp: () => this.#drift.catchUp(),
      clock,
      checkMs: routeCheckMs,
    });
    this.#drift = new DriftWatch({
      ownPort: socket.port,
      observe: (event) => this.#routes.observe(event),
      ...where,
      clock,
      log,
      ownership: () => this.#ownership,
      uplink: () => this.#uplink,
    });
    const concerns = (index: number) => this.#devices.has(index);
    this.#tamper = new TamperWatch({ ...where, clock, log, concerns });
  }

  read(...nodeAddresses: readonly string[]): Promise<KernelState> {
    return this.#inTurn(async () => {
      const tables = await readTables(this.#socket, this.#routes);
      const host = hostFacts(tables, this.#ownership, nodeAddresses);
      this.#uplink = host.uplink.name;
      this.#learn(tables.links);
      return {
        host,
        current: new CurrentEncapsulations(tables, this.#ownership),
        receives: receivedTunnels(tables),
        podMtus: podMtus(tables.links),
      };
    });
  }

  apply(plan: NodePlan): Promise<Actual> {
    return this.#inTurn(async () => {
      const { ownedProtocols: protocols, workloadDevicePrefix } = plan;
      this.#ownership = { protocols, workloadDevicePrefix };
      this.#uplink = plan.uplink;
      this.#settled = undefined;
      const { actual, proved, tables } = await applyPlan(plan, this.#context());
      this.#learn(tables.links);
      for (const encapsulation of proved) this.#proved.add(encapsulation);
      // A tunnel that was set up once goes on receiving when a later apply is refused; one that never
      // was must not be announced because its device exists.
      const receives = actual.receives.filter(
        (encapsulation) => encapsulation === "none" || this.#proved.has(encapsulation),
      );
      for (const encapsulation of this.#proved) {
        if (!actual.receives.includes(encapsulation)) this.#proved.delete(encapsulation);
      }
      const result = { ...actual, receives };
      this.#drift.catchUp();
      if (actual.failures.length === 0) {
        this.#settled = { tables, actual: result, seen: this.#drift.seen };
      }
      return result;
    });
  }

  applyChanges(plan: NodePlan, changes: readonly PrefixChange[]): Promise<Actual | undefined> {
    return this.#inTurn(async () => {
      const routes = await this.#routes.current();
      const settled = this.#settled;
      if (settled === undefined || settled.seen !== this.#drift.seen) return undefined;
      // A changed block is a changed entry of the map that BPF looks destinations up in.
      if (this.#ipip.kind === "bpf" && changes.some(({ ipip }) => ipip.length > 0))
        return undefined;
      const tables = { ...settled.tables, routes };
      const run = ApplyRun.resume(plan, this.#context(), tables);
      await changeRoutes(run, changes);
      const { failures, changes: count } = run.ledger;
      const current = new CurrentEncapsulations(tables, run.ownership);
      if (failures.length > 0) this.#settled = undefined;
      return { ...settled.actual, current, failures, changes: count };
    });
  }

  #context(): ApplyContext {
    const { namespace } = this.#options;
    return {
      socket: this.#socket,
      routes: this.#routes,
      ipip: this.#ipip,
      pods: this.#pods,
      firewall: this.#firewall,
      firewall6: this.#firewall6,
      ...(this.#uplinkHook === undefined ? {} : { uplinkHook: this.#uplinkHook }),
      ...(namespace === undefined ? {} : { namespace }),
    };
  }

  compare(plan: NodePlan): Promise<Comparison> {
    const { namespace } = this.#options;
    return this.#inTurn(() =>
      comparePlan(plan, {
        socket: this.#socket,
        routes: this.#routes,
        firewall: this.#firewall,
        firewall6: this.#firewall6,
        ...(namespace === undefined ? {} : { namespace }),
      }),
    );
  }

  async socketsOn(address: IpAddress): Promise<readonly HostSocket[]> {
    const { namespace } = this.#options;
    this.#sockets ??= openSocketDiag(namespace === undefined ? {} : { namespace });
    return this.#sockets.usersOf(address);
  }

  onDrift(listener: () => void): () => void {
    const forgetDrift = this.#drift.listen(listener);
    const forgetTamper = this.#tamper.listen((what) => {
      if (what.has("firewall")) for (const one of [this.#firewall, this.#firewall6]) one.suspect();
      listener();
    });
    return () => {
      forgetDrift();
      forgetTamper();
    };
  }

  async close(): Promise<void> {
    this.#drift.close();
    this.#tamper.close();
    await this.#last;
    this.#ipip.close();
    this.#sockets?.close();
    this.#socket.close();
  }

  /** Indexes of the devices that are ours or carry ours. */
  #learn(links: readonly Link[]): void {
    this.#drift.learn(links);
    const ours = links.filter(
      ({ name }) =>
        isTunnelDevice(name) || isWorkloadDevice(this.#ownership, name) || name === this.#uplink,
    );
    this.#devices = new Set(ours.map(({ index }) => index));
  }

  /** One at a time: an apply must not see the half of another. */
  #inTurn<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.#last.then(operation);
    this.#last = result.catch(() => {});
    return result;
  }
}
