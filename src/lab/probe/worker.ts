/** The thread that makes the traffic: nothing else runs in it, so a stall is the network's. */

import { constants, setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { errorText, sleep, systemClock } from "../../lib/index.ts";
import { totalCounts } from "./ledger.ts";
import { TcpStream } from "./tcp-stream.ts";
import type { Answer, Command, TrafficOptions, WindowReport } from "./types.ts";
import { UdpMesh } from "./udp-mesh.ts";

const DEFAULT_PORT = 9000;

async function run(options: TrafficOptions): Promise<void> {
  const port = options.port ?? DEFAULT_PORT;
  // Of this thread: a machine that is busy with the lab's agents is not what is measured.
  setPriority(constants.priority.PRIORITY_HIGHEST);
  const mesh = new UdpMesh(options.endpoints, { probesPerSecond: options.probesPerSecond, port });
  const stream = options.stream && openStream(options, options.stream, port);
  await stream?.connect();
  let stopped = false;
  let paused = false;

  const report = (window: number): WindowReport => {
    const pairs = mesh.reports(window);
    return {
      total: totalCounts(pairs),
      troubled: pairs.filter((pair) => pair.lost + pair.reordered + pair.duplicated > 0),
      ...(stream && { stream: stream.counts(performance.now()) }),
    };
  };
  parentPort?.on("message", (command: Command) => {
    if (command.kind === "advance") {
      stream?.advance(performance.now());
      answer({ kind: "advanced", window: mesh.ledger.advance(performance.now()) });
    } else if (command.kind === "report") {
      answer({ kind: "report", report: report(command.window) });
    } else if (command.kind === "pause") {
      paused = command.paused;
      if (!paused) mesh.resume(performance.now());
      answer({ kind: "paused" });
    } else {
      stopped = true;
    }
  });
  answer({ kind: "ready" });
  while (!stopped) {
    const nowMs = performance.now();
    if (paused) mesh.receive(nowMs);
    else {
      mesh.turn(nowMs);
      stream?.turn(nowMs);
    }
    await sleep(systemClock, 1);
  }
  mesh.close();
  stream?.close();
  answer({ kind: "stopped" });
  parentPort?.close();
}

function openStream(
  options: TrafficOptions,
  ends: { from: string; to: string },
  port: number,
): TcpStream {
  const find = (name: string) => {
    const endpoint = options.endpoints.find((candidate) => candidate.name === name);
    if (!endpoint) throw new RangeError(`the stream's end ${name} is not among the endpoints`);
    return endpoint;
  };
  return new TcpStream(find(ends.from), find(ends.to), port);
}

function answer(message: Answer): void {
  parentPort?.postMessage(message);
}

run(workerData as TrafficOptions).catch((error: unknown) => {
  answer({ kind: "failed", message: errorText(error) });
});
