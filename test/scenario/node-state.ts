/** What the kernel of a lab's node holds, as text from iproute2 and nft: independent of what we read it with. */

import { execFile, execFileSync } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Standard output of a shell script inside a namespace. */
export function inside(namespace: string, script: string): string {
  return execFileSync("nsenter", [`--net=${namespace}`, "sh", "-ec", script], { encoding: "utf8" });
}

/** `sysctl` takes a dot for a separator: paths it is. Device indexes and counters are left out. */
const SCRIPT = `
ip -4 route show
ip -o -d link show | grep -E 'tunl0|vxlan|cali' | sed -E 's/^[0-9]+: //; s/(link-netns\\S*|qlen|numtxqueues).*//; s/@if[0-9]+//'
ip -o -4 address show | grep -E 'tunl0|vxlan|eth0' | sed -E 's/^[0-9]+: //'
ip neighbour show nud permanent | sort
bridge fdb show | grep dst | sort
nft -s list ruleset | grep -v comment
for d in /proc/sys/net/ipv4/conf/*; do case $d in *cali*|*tunl0|*vxlan*|*eth0)
  echo $d $(cat $d/forwarding $d/rp_filter $d/proxy_arp $d/route_localnet);; esac; done
cat /proc/sys/net/ipv4/ip_forward
for d in eth0 tunl0; do for w in ingress egress; do
  tc filter show dev $d $w 2>/dev/null | grep -o 'pref [0-9]* .*' | sed 's/:\\[[0-9]*\\]//; s/ id [0-9]*//' || true; done; done
`;

export async function kernelText(namespace: string): Promise<string[]> {
  const args = [`--net=${namespace}`, "sh", "-c", SCRIPT];
  const { stdout } = await run("nsenter", args, { encoding: "utf8", maxBuffer: 1 << 24 });
  return stdout.split("\n").map((line) => line.trimEnd());
}

export interface Repair {
  /** Lines that the breach took away or brought. */
  readonly broken: readonly string[];
  readonly tookMs: number;
  /** Lines that still differ when the time is over. */
  readonly left: readonly string[];
}

/** Breaks something, and looks until everything is as before. */
export async function breakAndWait(
  namespace: string,
  breach: string,
  limitMs: number,
): Promise<Repair> {
  const before = await kernelText(namespace);
  inside(namespace, breach);
  const startedMs = performance.now();
  const broken = differing(before, await kernelText(namespace));
  for (;;) {
    const left = differing(before, await kernelText(namespace));
    const tookMs = performance.now() - startedMs;
    if (left.length === 0 || tookMs > limitMs) return { broken, tookMs, left };
    await wait(5);
  }
}

/** Lines that one has more often than the other. */
export function differing(before: readonly string[], after: readonly string[]): string[] {
  return [
    ...surplus(before, after).map((line) => `- ${line}`),
    ...surplus(after, before).map((line) => `+ ${line}`),
  ];
}

function surplus(lines: readonly string[], others: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const line of others) counts.set(line, (counts.get(line) ?? 0) + 1);
  return lines.filter((line) => {
    const count = counts.get(line) ?? 0;
    counts.set(line, count - 1);
    return count <= 0;
  });
}
