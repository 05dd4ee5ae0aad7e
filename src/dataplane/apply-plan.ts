/**
 * One apply. The order is the product's promise: whatever receives comes first, then routes move by atomic
 * replace, and only then is anything taken away that carried traffic.
 */

import { formatAddress } from "../lib/index.ts";
import type { Encapsulation } from "../model/index.ts";
import type { NodePlan, RoutePlan, SysctlPlan } from "../plan/index.ts";
import { addAddresses, removeAddresses } from "./apply-addresses.ts";
import { type ApplyContext, ApplyRun } from "./apply-context.ts";
import { narrowIpip, widenIpip } from "./apply-ipip.ts";
import { applyRoutes } from "./apply-routes.ts";
import { narrowVxlan, removeVxlan, type VxlanStage, widenVxlan } from "./apply-vxlan.ts";
import { CurrentEncapsulations } from "./current-encapsulations.ts";
import { receivedTunnels } from "./kernel-state.ts";
import type { KernelTables } from "./kernel-tables.ts";
import { TUNNEL_DEVICES } from "./ownership.ts";
import { applyProof } from "./proof-table.ts";
import { applySysctls, sysctlDevice } from "./sysctl.ts";
import type { Actual } from "./types.ts";

export interface ApplyResult {
  readonly actual: Actual;
  /** Tunnels for which everything that receiving needs was written or found in place. */
  readonly proved: readonly Encapsulation[];
  readonly tables: KernelTables;
}

/** @throws if the kernel cannot be read; refusals of single objects are in the result. */
export async function applyPlan(plan: NodePlan, context: ApplyContext): Promise<ApplyResult> {
  const run = await ApplyRun.start(plan, context);
  const { ledger } = run;
  // Pods send less before anything that carries less is used.
  if (plan.podMtu) await context.pods.apply(plan.podMtu, run);
  prepareUplink(run);
  const uplinks = uplinksOf(plan);
  const hostReady = sysctls(run, (device) => device === undefined || uplinks.has(device));
  const vxlan = await widenVxlan(run, plan.vxlan);
  const vxlan6 = await widenVxlan(run, plan.vxlan6);
  const ipipReady = await widenIpip(run);
  await addAddresses(run);
  const devicesReady = sysctls(run, (device) => device !== undefined && !uplinks.has(device));
  const { workloadDevicePrefix } = plan;
  const { firewall, firewall6 } = plan;
  const firewallReady = await ledger.attempt("firewall", async () =>
    (await context.firewall.ensure({ firewall, workloadDevicePrefix })) ? 1 : 0,
  );
  const input6 = firewall6 && { firewall: firewall6, workloadDevicePrefix };
  const firewall6Ready = await ledger.attempt("IPv6 firewall", async () =>
    (await context.firewall6.ensure(input6)) ? 1 : 0,
  );
  const obstacleTo = (route: RoutePlan) => obstacle(route, { plan, vxlan, vxlan6, ipipReady });
  await applyProof(run, obstacleTo);
  await applyRoutes(run, obstacleTo);

  if (ledger.changes > 0 || ledger.failures.length > 0) await run.readAgain();
  const before = ledger.changes;
  await removeAddresses(run);
  if (plan.vxlan) await narrowVxlan(run, plan.vxlan, vxlan);
  else await removeVxlan(run, TUNNEL_DEVICES.vxlan);
  if (plan.vxlan6) await narrowVxlan(run, plan.vxlan6, vxlan6);
  else await removeVxlan(run, TUNNEL_DEVICES["vxlan-v6"]);
  await narrowIpip(run, ipipReady);
  if (ledger.changes !== before) await run.readAgain();

  const receiving = hostReady && devicesReady;
  const proved: Encapsulation[] = [];
  if (receiving && firewallReady && ipipReady) proved.push("ipip");
  if (receiving && firewallReady && vxlan.ready) proved.push("vxlan");
  if (receiving && firewall6Ready && vxlan6.ready) proved.push("vxlan-v6");
  const { kind } = context.ipip;
  return {
    actual: {
      current: new CurrentEncapsulations(run.tables, run.ownership),
      receives: ["none", ...receivedTunnels(run.tables)],
      failures: ledger.failures,
      ...(kind === undefined || plan.ipip === undefined ? {} : { ipipBackend: kind }),
      changes: ledger.changes,
    },
    proved,
    tables: run.tables,
  };
}

/** Not where the kernel's ipip module is at work: it needs nothing on the uplink. */
function prepareUplink(run: ApplyRun): void {
  const uplink = run.link(run.plan.uplink);
  if (uplink === undefined || run.link(TUNNEL_DEVICES.ipip)?.kind === "ipip") return;
  run.context.uplinkHook?.ensure(uplink.index);
}

/** The devices with the node's addresses; they exist before anything else does. */
function uplinksOf({ uplink, vxlan6 }: NodePlan): ReadonlySet<string> {
  return new Set([uplink, ...(vxlan6 ? [vxlan6.parent] : [])]);
}

/** True if all of them hold. */
function sysctls(run: ApplyRun, wanted: (device: string | undefined) => boolean): boolean {
  const chosen = run.plan.sysctls.filter((sysctl: SysctlPlan) => wanted(sysctlDevice(sysctl.path)));
  const result = applySysctls(chosen, run.context.namespace);
  run.ledger.add(result);
  // A pod that is gone takes its settings with it; that says nothing about tunnels.
  return result.failures.every(({ object }) =>
    object.includes(`/${run.plan.workloadDevicePrefix}`),
  );
}

interface TunnelState {
  readonly plan: NodePlan;
  readonly vxlan: VxlanStage;
  readonly vxlan6: VxlanStage;
  readonly ipipReady: boolean;
}

/** A route must not move into a tunnel that would lose its packets. */
function obstacle(route: RoutePlan, state: TunnelState): string | undefined {
  const { plan, ipipReady } = state;
  const { device, gateway } = route;
  if (device === undefined) return undefined;
  if (device === plan.ipip?.device && !ipipReady) return `device ${device} is not ready`;
  const stages = [
    [plan.vxlan, state.vxlan],
    [plan.vxlan6, state.vxlan6],
  ] as const;
  const stage = stages.find(([vxlan]) => vxlan?.device === device)?.[1];
  if (stage === undefined) return undefined;
  if (!stage.ready) return `device ${device} is not ready`;
  if (gateway === undefined || !stage.unreachable.has(gateway)) return undefined;
  return `neighbour ${formatAddress(gateway)} dev ${device} is not ready`;
}
