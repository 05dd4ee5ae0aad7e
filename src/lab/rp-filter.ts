/** Reverse-path filtering of the lab's hosts, as an operator's sysctl.conf would set it at boot. */

import { writeFileSync } from "node:fs";
import { SwitchyardError } from "../lib/index.ts";
import { withNamespace } from "../lib/sys/index.ts";

/** By their sysctl value (ip-sysctl.rst). */
export const rpFilters = ["off", "strict", "loose"] as const;
export type RpFilter = (typeof rpFilters)[number];

/** @throws INVALID_ARGUMENT. */
export function parseRpFilter(text: string): RpFilter {
  const found = rpFilters.find((name) => name === text);
  if (found !== undefined) return found;
  throw new SwitchyardError(
    "INVALID_ARGUMENT",
    `${JSON.stringify(text)} is no reverse-path filter: strict, loose or off`,
  );
}

/** `default` is what devices made from now on begin with; `all` counts for every device. */
export function setRpFilter(namespace: string, filter: RpFilter): void {
  const value = String(rpFilters.indexOf(filter));
  withNamespace(namespace, () => {
    for (const device of ["all", "default"]) {
      writeFileSync(`/proc/sys/net/ipv4/conf/${device}/rp_filter`, value);
    }
  });
}
