/** The devices and the process of a fault that delays. */

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { SwitchyardError, sleep, systemClock } from "../../lib/index.ts";
import { createTun, deleteTun, withNamespace } from "../../lib/sys/index.ts";
import { openRouteSocket } from "../../netlink/index.ts";
import { ensureProcess } from "../ensure-process.ts";
import { type LabPaths, logFile } from "../paths.ts";
import { signalProcess } from "../process-identity.ts";
import { stopProcesses, waitForEnd } from "../processes.ts";
import type { RecordHolder } from "../record-holder.ts";
import type { Topology } from "../topology.ts";
import { lateDevices } from "./render-detour.ts";
import type { FaultRecord } from "./spec.ts";

const limitMs = 5_000;

export interface DelayContext {
  /** Of the router. */
  readonly namespace: string;
  readonly paths: LabPaths;
  readonly topology: Topology;
  readonly holder: RecordHolder;
}

/** Ends when frames would be delayed. Nothing for faults of other kinds. @throws LAB_FAILED. */
export async function startDelay(context: DelayContext, fault: FaultRecord): Promise<void> {
  const { spec } = fault;
  if (spec.kind !== "delay") return;
  const { namespace, paths, topology, holder } = context;
  const devices = lateDevices(fault, topology).map(({ device }) => device);
  const socket = openRouteSocket({ namespace });
  try {
    for (const name of devices) {
      createTun({ name, mode: "tap", namespace });
      // Or the kernel would send its own neighbour discovery through it, to a node.
      withNamespace(namespace, () => {
        writeFileSync(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, "1");
      });
      const link = await socket.link(name);
      if (link) await socket.changeLink(link.index, { up: true });
    }
    const relay = fileURLToPath(new URL("./delay-relay.ts", import.meta.url));
    const name = processName(fault);
    await ensureProcess(
      {
        name,
        labDirectory: paths.directory,
        command: [process.execPath, relay, String(spec.delayMs), ...devices],
        namespace,
        logFile: logFile(paths, name),
      },
      holder,
    );
    const deadlineMs = systemClock.monotonicMs() + limitMs;
    for (const device of devices) {
      // A tap has a carrier while somebody holds it.
      while (!(await socket.link(device))?.carrier) {
        if (systemClock.monotonicMs() > deadlineMs) {
          throw new SwitchyardError(
            "LAB_FAILED",
            `nobody reads ${device}; see ${logFile(paths, name)}`,
          );
        }
        await sleep(systemClock, 10);
      }
    }
  } finally {
    socket.close();
  }
}

/** Ends its process, which first gives back what it holds. */
export async function endDelay(context: DelayContext, fault: FaultRecord): Promise<void> {
  const { holder } = context;
  const name = processName(fault);
  const relay = holder.record.processes[name];
  if (fault.spec.kind !== "delay" || relay === undefined) return;
  const clock = systemClock;
  const processes = [relay];
  signalProcess(relay, "SIGTERM");
  await waitForEnd({ processes, clock, timeoutMs: fault.spec.delayMs + limitMs });
  await stopProcesses(processes, clock);
  holder.removeProcess(name);
}

export function removeDelay({ namespace, topology }: DelayContext, fault: FaultRecord): void {
  for (const { device } of lateDevices(fault, topology)) {
    deleteTun({ name: device, mode: "tap", namespace });
  }
}

function processName({ id }: FaultRecord): string {
  return `fault-${id}`;
}
