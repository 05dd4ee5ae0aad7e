/** Waits until the kernels of a lab's nodes hold no tunnel device that the pool's mode does not need. */

import { type Clock, SwitchyardError, sleep } from "../lib/index.ts";
import type { ModeName } from "../model/index.ts";
import { openRouteSocket } from "../netlink/index.ts";
import { IPIP_DEVICE, VXLAN_DEVICE } from "../plan/index.ts";
import type { LabState } from "./lab-state.ts";

const PATIENCE_MS = 30_000;
const LOOK_EVERY_MS = 100;

/** @throws LAB_FAILED, naming what is left. */
export async function tunnelDevicesGone(
  lab: LabState,
  mode: ModeName,
  clock: Clock,
): Promise<void> {
  const excess = [IPIP_DEVICE, VXLAN_DEVICE].filter((device) => device !== neededDevice(mode));
  const startedMs = clock.monotonicMs();
  for (;;) {
    const left = await devicesOf(lab, excess);
    if (left.length === 0) return;
    if (clock.monotonicMs() - startedMs > PATIENCE_MS) {
      throw new SwitchyardError("LAB_FAILED", `still there in mode ${mode}: ${left.join(", ")}`);
    }
    await sleep(clock, LOOK_EVERY_MS);
  }
}

function neededDevice(mode: ModeName): string | undefined {
  if (mode.startsWith("ipip")) return IPIP_DEVICE;
  return mode.startsWith("vxlan") ? VXLAN_DEVICE : undefined;
}

async function devicesOf(lab: LabState, names: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const node of lab.nodes) {
    const socket = openRouteSocket({ namespace: node.namespace, dumpRetries: 10 });
    try {
      const present = new Map((await socket.links()).map((link) => [link.name, link]));
      for (const name of names) {
        const link = present.get(name);
        // The ipip module's own fallback device cannot be removed: down is as good as gone.
        if (link && !(link.kind === "ipip" && !link.up)) found.push(`${name} on ${node.name}`);
      }
    } finally {
      socket.close();
    }
  }
  return found;
}
