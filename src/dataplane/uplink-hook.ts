/**
 * The place on the uplink where the BPF half of IP-in-IP is attached, made when the agent first meets the
 * uplink and never taken away. Making or deleting a clsact qdisc deactivates the device's queues: some
 * milliseconds of outgoing packets are lost, whatever the mode (qdisc_graft calls dev_deactivate, kernel
 * 6.18; seen as 1 to 40 packets at 2,000/s). A mode change must find it there and leave it there.
 */

import { existsSync, readFileSync } from "node:fs";
import { release } from "node:os";
import { errorText } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import { createClsact, withNamespace } from "../lib/sys/index.ts";

/** True if the kernel has its own IP-in-IP, loaded or to be loaded, as the distributions' kernels do. */
function hasIpipModule(): boolean {
  if (existsSync("/sys/module/ipip")) return true;
  return ["modules.builtin", "modules.dep"].some((list) => {
    try {
      return /\/ipip\.ko/.test(readFileSync(`/lib/modules/${release()}/${list}`, "utf8"));
    } catch {
      return false;
    }
  });
}

export interface UplinkHookOptions {
  readonly namespace?: string;
  readonly log: Log;
}

export class UplinkHook {
  readonly #options: UplinkHookOptions;
  readonly #ready = new Set<number>();

  constructor(options: UplinkHookOptions) {
    this.#options = options;
  }

  /** `index` is the uplink's. Does nothing the second time, nor in a kernel that has no BPF. */
  ensure(index: number): void {
    if (this.#ready.has(index)) return;
    this.#ready.add(index);
    // BPF will not be asked for: a node taken over from Calico keeps its uplink as it is.
    if (hasIpipModule()) return;
    const { namespace, log } = this.#options;
    const create = () => createClsact(index);
    try {
      if (namespace === undefined) create();
      else withNamespace(namespace, create);
    } catch (error) {
      // Not a failure of the plan: where IP-in-IP needs it, its backend says so.
      log.info({ uplink: index, reason: errorText(error) }, "no place for BPF on the uplink");
    }
  }
}
