/** TCP throughput between two endpoints, by iperf3. */

import { type ChildProcess, spawn } from "node:child_process";
import { type Clock, SwitchyardError, sleep, systemClock } from "../../lib/index.ts";
import type { Endpoint } from "./types.ts";

const PORT = "9003";

/** Gbit/s received over `seconds`. @throws LAB_FAILED with iperf3's words. */
export async function measureThroughput(
  from: Endpoint,
  to: Endpoint,
  options: { readonly seconds: number; readonly clock?: Clock },
): Promise<number> {
  const clock = options.clock ?? systemClock;
  const server = run(to, ["--server", "--one-off", "--bind", to.address]);
  try {
    for (let attempt = 0; ; attempt++) {
      const time = ["--time", String(options.seconds)];
      const client = run(from, [
        "--client",
        to.address,
        ...time,
        "--json",
        "--connect-timeout",
        "2000",
      ]);
      const { code, output } = await finished(client);
      if (code === 0) return gigabits(output);
      // The server needs a moment before it listens.
      if (attempt === 20) {
        throw new SwitchyardError(
          "LAB_FAILED",
          `iperf3 from ${from.name} to ${to.name} failed: ${output.trim()}`,
        );
      }
      await sleep(clock, 50);
    }
  } finally {
    server.kill("SIGKILL");
  }
}

function run(end: Endpoint, args: readonly string[]): ChildProcess {
  return spawn("nsenter", [`--net=${end.namespace}`, "iperf3", "--port", PORT, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function finished(child: ChildProcess): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output: Buffer.concat(chunks).toString() }));
  });
}

function gigabits(json: string): number {
  const report = JSON.parse(json) as { end?: { sum_received?: { bits_per_second?: number } } };
  const bits = report.end?.sum_received?.bits_per_second;
  if (bits === undefined)
    throw new SwitchyardError("LAB_FAILED", "iperf3's report has no received sum");
  return Math.round(bits / 1e7) / 100;
}
