/** What others take for the same routes in a namespace of their own: `ip -batch`, and BIRD 2 from a file. */

import { execFileSync, type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sleep, systemClock } from "../src/lib/index.ts";

/** Milliseconds. */
export interface PeerTimes {
  readonly programming: number;
  readonly flip: number;
  readonly removal: number;
}

export interface RouteLoad {
  readonly destinations: readonly string[];
  readonly device: string;
  /** Before and after the flip. */
  readonly gateways: readonly [string, string];
}

const POLL_MS = 5;
const PATIENCE_MS = 60_000;

/** Runs a program in a network namespace. */
export function inNamespace(namespace: string, command: readonly string[]): string {
  const args = [`--net=/run/netns/${namespace}`, ...command];
  return execFileSync("nsenter", args, { encoding: "utf8", maxBuffer: 1 << 28 });
}

export function measureIpBatch(namespace: string, load: RouteLoad): PeerTimes {
  const directory = mkdtempSync(join(tmpdir(), "bench-ip-"));
  const { destinations, device, gateways } = load;
  const run = (line: (destination: string) => string): number => {
    const file = join(directory, "batch");
    writeFileSync(file, destinations.map((destination) => `${line(destination)}\n`).join(""));
    const startedMs = performance.now();
    inNamespace(namespace, ["ip", "-batch", file]);
    return performance.now() - startedMs;
  };
  const route = (verb: string, gateway: string) => (destination: string) =>
    `route ${verb} ${destination} via ${gateway} dev ${device} proto bird`;
  try {
    return {
      programming: run(route("add", gateways[0])),
      flip: run(route("replace", gateways[1])),
      removal: run((destination) => `route del ${destination}`),
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/**
 * BIRD has read its file before the clock starts: `programming` and `removal` are `enable` and `disable`
 * of the protocol that holds the routes. `flip` is `configure` with the other gateway, less what
 * `configure check` takes to read the same file.
 */
export async function measureBird(namespace: string, load: RouteLoad): Promise<PeerTimes> {
  const directory = mkdtempSync(join(tmpdir(), "bench-bird-"));
  const config = join(directory, "bird.conf");
  const routes = join(directory, "routes.conf");
  const socket = join(directory, "bird.ctl");
  const writeRoutes = (gateway: string) =>
    writeFileSync(
      routes,
      load.destinations.map((destination) => `route ${destination} via ${gateway};\n`).join(""),
    );
  writeFileSync(
    config,
    `router id 192.0.2.1;
protocol device { scan time 3600; }
protocol direct { ipv4; }
protocol kernel { scan time 3600; ipv4 { import none; export where proto = "blocks"; }; }
protocol static blocks { disabled; ipv4;
include "${routes}";
}
`,
  );
  writeRoutes(load.gateways[0]);
  const args = [`--net=/run/netns/${namespace}`, "bird", "-f", "-c", config, "-s", socket];
  const bird = spawn("nsenter", args, { stdio: "ignore" });
  const ended = new Promise((resolve) => bird.once("exit", resolve));
  const birdc = (...command: string[]): SpawnSyncReturns<string> =>
    spawnSync("birdc", ["-s", socket, ...command], { encoding: "utf8" });
  const timed = async (act: () => void, done: () => boolean): Promise<number> => {
    const startedMs = performance.now();
    act();
    return performance.now() - startedMs + (await until(done));
  };
  try {
    await until(() => existsSync(socket) && birdc("show", "status").status === 0);
    const prefixes = () => prefixCount(bird.pid!);
    const before = prefixes();
    const all = before + load.destinations.length;
    const programming = await timed(
      () => birdc("enable", "blocks"),
      () => prefixes() >= all,
    );
    // The configuration says `disabled`: it must not take the routes away when it is read again.
    writeFileSync(config, readFileSync(config, "utf8").replace("disabled; ", ""));
    birdc("configure");
    writeRoutes(load.gateways[1]);
    const reading = await timed(
      () => birdc("configure", "check"),
      () => true,
    );
    const old = ["ip", "route", "show", "via", load.gateways[0], "proto", "bird"];
    const flip = await timed(
      () => birdc("configure"),
      () => inNamespace(namespace, old) === "",
    );
    const removal = await timed(
      () => birdc("disable", "blocks"),
      () => prefixes() <= before,
    );
    return { programming, flip: flip - reading, removal };
  } finally {
    bird.kill("SIGKILL");
    await ended;
    rmSync(directory, { recursive: true });
  }
}

/** Polls; returns the milliseconds up to the beginning of the look that found it done. */
async function until(done: () => boolean): Promise<number> {
  const startedMs = performance.now();
  for (;;) {
    const lookMs = performance.now();
    if (done()) return lookMs - startedMs;
    if (lookMs - startedMs > PATIENCE_MS) throw new Error("bird did not do it in a minute");
    await sleep(systemClock, POLL_MS);
  }
}

/** Prefixes of the namespace that the process is in; the kernel counts them on its own time. */
function prefixCount(pid: number): number {
  const text = readFileSync(`/proc/${pid}/net/fib_triestat`, "utf8");
  return Math.max(...[...text.matchAll(/Prefixes:\s+(\d+)/g)].map((match) => Number(match[1])));
}
