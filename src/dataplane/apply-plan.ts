/**
 * One apply. The order is the product's promise: whatever receives comes first, then routes move by atomic
 * replace, and only then is anything taken away that carried traffic.
 */

import { formatAddress } from "../lib/index.ts";
import type { Encapsulation } from "../model/index.ts";
import type { Link } from "../netlink/index.ts";
import type { NodePlan, RoutePlan, SysctlPlan } from "../plan/index.ts";
import { addAddresses, removeAddresses } from "./apply-addresses.ts";
import { type ApplyContext, ApplyRun } from "./apply-context.ts";
import { narrowIpip, widenIpip } from "./apply-ipip.ts";
import { applyRoutes } from "./apply-routes.ts";
import { narrowVxlan, type VxlanStage, widenVxlan } from "./apply-vxlan.ts";
import { CurrentEncapsulations } from "./current-encapsulations.ts";
import { receivedTunnels } from "./kernel-state.ts";
import { TUNNEL_DEVICES } from "./ownership.ts";
import { applySysctls, sysctlDevice } from "./sysctl.ts";
import type { Actual } from "./types.ts";

export interface ApplyResult {
  readonly actual: Actual;
  /** Tunnels for which everything that receiving needs was written or found in place. */
  readonly proved: readonly Encapsulation[];
  readonly links: readonly Link[];
}

/** @throws if the kernel cannot be read; refusals of single objects are in the result. */
export async function applyPlan(plan: NodePlan, context: ApplyContext): Promise<ApplyResult> {
  const run = await ApplyRun.start(plan, context);
  const { ledger } = run;
  prepareUplink(run);
  const hostReady = sysctls(run, (device) => device === undefined);
  const vxlan = await widenVxlan(run);
  const ipipReady = await widenIpip(run);
  await addAddresses(run);
  const devicesReady = sysctls(run, (device) => device !== undefined);
  const { workloadDevicePrefix } = plan;
  const firewallReady = await ledger.attempt("firewall", async () =>
    (await context.firewall.ensure({ firewall: plan.firewall, workloadDevicePrefix })) ? 1 : 0,
  );
  await applyRoutes(run, (route) => obstacle(route, { plan, vxlan, ipipReady }));

  if (ledger.changes > 0 || ledger.failures.length > 0) await run.readAgain();
  const before = ledger.changes;
  await removeAddresses(run);
  await narrowVxlan(run, vxlan);
  await narrowIpip(run, ipipReady);
  if (ledger.changes !== before) await run.readAgain();

  const receiving = hostReady && devicesReady && firewallReady;
  const proved: Encapsulation[] = [];
  if (receiving && ipipReady) proved.push("ipip");
  if (receiving && vxlan.ready) proved.push("vxlan");
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
    links: run.tables.links,
  };
}

/** Not where the kernel's ipip module is at work: it needs nothing on the uplink. */
function prepareUplink(run: ApplyRun): void {
  const uplink = run.link(run.plan.uplink);
  if (uplink === undefined || run.link(TUNNEL_DEVICES.ipip)?.kind === "ipip") return;
  run.context.uplinkHook?.ensure(uplink.index);
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
  readonly ipipReady: boolean;
}

/** A route must not move into a tunnel that would lose its packets. */
function obstacle(route: RoutePlan, state: TunnelState): string | undefined {
  const { plan, vxlan, ipipReady } = state;
  const { device, gateway } = route;
  if (device === undefined) return undefined;
  if (device === plan.ipip?.device && !ipipReady) return `device ${device} is not ready`;
  if (device !== plan.vxlan?.device) return undefined;
  if (!vxlan.ready) return `device ${device} is not ready`;
  if (gateway === undefined || !vxlan.unreachable.has(gateway)) return undefined;
  return `neighbour ${formatAddress(gateway)} dev ${device} is not ready`;
}
