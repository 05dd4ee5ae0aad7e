/** The reverse-path filter of running hosts made strict, device by device, and put back. */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { withNamespace } from "../../lib/sys/index.ts";

const directory = "/proc/sys/net/ipv4/conf";
const strict = "1";

/** Value by device, those of pods left out: an agent of ours keeps them. */
export type RpFilters = Readonly<Record<string, string>>;

/** What the host's devices have now. */
export function readRpFilters(namespace: string): RpFilters {
  return withNamespace(namespace, () => {
    const devices = readdirSync(directory).filter((device) => !device.startsWith("cali"));
    return Object.fromEntries(devices.map((device) => [device, read(device)]));
  });
}

/** As `sysctl --system` would, after somebody wrote the file. */
export function makeStrict(namespace: string): void {
  withNamespace(namespace, () => {
    for (const device of readdirSync(directory)) {
      if (!device.startsWith("cali")) writeFileSync(`${directory}/${device}/rp_filter`, strict);
    }
  });
}

/** Puts back what is still strict; what somebody has set since stays. */
export function restoreRpFilters(namespace: string, before: RpFilters): void {
  withNamespace(namespace, () => {
    const devices = new Set(readdirSync(directory));
    for (const [device, value] of Object.entries(before)) {
      if (!devices.has(device) || read(device) !== strict) continue;
      writeFileSync(`${directory}/${device}/rp_filter`, value);
    }
  });
}

function read(device: string): string {
  return readFileSync(`${directory}/${device}/rp_filter`, "utf8").trim();
}
