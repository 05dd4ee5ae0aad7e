/** What the steps of one apply share. */

import type { Link, Route, RouteSocket } from "../netlink/index.ts";
import type { NodePlan } from "../plan/index.ts";
import type { Firewall } from "./firewall.ts";
import type { IpipDriver } from "./ipip-driver.ts";
import { type KernelTables, readTables } from "./kernel-tables.ts";
import { Ledger } from "./ledger.ts";
import { type Ownership, ownsRoute, yieldsToPlan } from "./ownership.ts";
import type { PodMtuDriver } from "./pod-mtu.ts";
import type { RouteKeeper } from "./route-keeper.ts";
import type { UplinkHook } from "./uplink-hook.ts";

export interface ApplyContext {
  readonly socket: RouteSocket;
  readonly namespace?: string;
  readonly routes: RouteKeeper;
  readonly ipip: IpipDriver;
  readonly pods: PodMtuDriver;
  readonly firewall: Firewall;
  readonly firewall6: Firewall;
  /** Absent where IP-in-IP never uses BPF. */
  readonly uplinkHook?: UplinkHook;
}

export class ApplyRun {
  readonly plan: NodePlan;
  readonly context: ApplyContext;
  readonly ownership: Ownership;
  readonly ledger = new Ledger();
  tables: KernelTables;

  private constructor(plan: NodePlan, context: ApplyContext, tables: KernelTables) {
    this.plan = plan;
    this.context = context;
    this.ownership = {
      protocols: plan.ownedProtocols,
      workloadDevicePrefix: plan.workloadDevicePrefix,
    };
    this.tables = tables;
  }

  /** With tables that are known to be true still. */
  static resume(plan: NodePlan, context: ApplyContext, tables: KernelTables): ApplyRun {
    return new ApplyRun(plan, context, tables);
  }

  static async start(plan: NodePlan, context: ApplyContext): Promise<ApplyRun> {
    return new ApplyRun(plan, context, await readTables(context.socket, context.routes));
  }

  get socket(): RouteSocket {
    return this.context.socket;
  }

  async readAgain(): Promise<void> {
    this.tables = await readTables(this.socket, this.context.routes);
  }

  link(name: string): Link | undefined {
    return this.tables.linkByName(name);
  }

  deviceName(route: Route): string | undefined {
    return route.device === undefined ? undefined : this.tables.linkName(route.device);
  }

  yields(route: Route): boolean {
    return yieldsToPlan(this.ownership, route, this.deviceName(route));
  }

  owns(route: Route): boolean {
    return ownsRoute(this.ownership, route, this.deviceName(route));
  }

  /** Our routes over a device of that name. */
  routesOn(device: string): readonly Route[] {
    const index = this.link(device)?.index;
    const found: Route[] = [];
    if (index === undefined) return found;
    this.tables.routes.visit(({ body, routes }) => {
      if (body !== undefined && body.device !== index) return;
      found.push(...routes().filter((route) => route.device === index && this.owns(route)));
    });
    return found;
  }
}
