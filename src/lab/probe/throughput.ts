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
      const output = await finished(client);
      const measured = gigabits(output);
      if (measured !== undefined) return measured;
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

function finished(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", reject);
    child.on("close", () => resolve(Buffer.concat(chunks).toString()));
  });
}

/** undefined when the report has no result: iperf3 could not connect, and says so in `error`. */
function gigabits(output: string): number | undefined {
  let report: { end?: { sum_received?: { bits_per_second?: number } } };
  try {
    report = JSON.parse(output) as typeof report;
  } catch {
    return undefined;
  }
  const bits = report.end?.sum_received?.bits_per_second;
  return bits === undefined || bits === 0 ? undefined : Math.round(bits / 1e7) / 100;
}
