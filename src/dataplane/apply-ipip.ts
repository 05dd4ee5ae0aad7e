/** The IP-in-IP part of an apply: widened before routes move, narrowed after. */

import { isIpv4, isPrefix4 } from "../lib/index.ts";
import type { ApplyRun } from "./apply-context.ts";
import type { IpipDestination } from "./ipip/index.ts";
import type { IpipDriverInput } from "./ipip-driver.ts";
import { TUNNEL_DEVICES } from "./ownership.ts";

/** True if the tunnel is ready for everything planned. Nothing is removed. */
export async function widenIpip(run: ApplyRun): Promise<boolean> {
  const { plan, ledger, context } = run;
  if (plan.ipip === undefined) return false;
  const changes = ledger.changes;
  const ready = await ledger.attempt(`device ${plan.ipip.device}`, async () => {
    return (await context.ipip.widen(driverInput(run))) ? 1 : 0;
  });
  if (ledger.changes !== changes || !ready) await run.readAgain();
  return ready;
}

/** Gives up what no route needs, or the tunnel if it is not planned and carries no route. */
export async function narrowIpip(run: ApplyRun, ready: boolean): Promise<void> {
  const { plan, ledger, context } = run;
  const object = `device ${plan.ipip?.device ?? TUNNEL_DEVICES.ipip}`;
  if (plan.ipip === undefined) {
    const device = run.link(TUNNEL_DEVICES.ipip);
    // The ipip module gives every namespace a tunl0, which is down until somebody wants it.
    const idle = device === undefined || (device.kind === "ipip" && !device.up);
    if (idle || run.routesOn(device.name).length > 0) return;
    await ledger.attempt(object, async () => {
      await context.ipip.remove();
      return 1;
    });
  } else if (ready) {
    await ledger.attempt(object, async () => {
      return (await context.ipip.narrow(driverInput(run))) ? 1 : 0;
    });
  }
}

/** @throws if the uplink is missing. */
function driverInput(run: ApplyRun): IpipDriverInput {
  const plan = run.plan.ipip!;
  const uplink = run.link(plan.uplink);
  if (uplink === undefined) {
    throw new Error(`set up device ${plan.device}: its uplink ${plan.uplink} does not exist`);
  }
  const inUse = () =>
    run
      .routesOn(plan.device)
      .flatMap(({ destination, gateway }): IpipDestination[] =>
        isPrefix4(destination) && gateway !== undefined && isIpv4(gateway)
          ? [{ prefix: destination, node: gateway }]
          : [],
      );
  return { plan, uplink, held: run.link(plan.device), inUse };
}
