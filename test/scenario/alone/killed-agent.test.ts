/**
 * The agent ends in the midst of a mode change, before each kind of operation of its apply, by kill -9 and by
 * SIGTERM: the kernel forwards on, the next agent completes the change, and not one packet is lost meanwhile.
 */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { askAgentDiff } from "../../../src/ctl/agent-socket.ts";
import { killAgent } from "../../../src/lab/index.ts";
import { losses, nothingLost, Stage } from "../stage.ts";

const skip = process.getuid?.() === 0 ? false : "needs root to make network namespaces";
const script = new URL("../stalling-agent.ts", import.meta.url).pathname;

/** The operations of each change, in the order of an apply. */
const steps: Readonly<Record<"vxlan" | "ipip", readonly string[]>> = {
  vxlan: [
    "link add",
    "fdb replace",
    "neigh replace",
    "address replace",
    "nft -f",
    "route replace",
    "address delete",
    "ipip remove",
    "link delete",
  ],
  ipip: [
    "ipip apply",
    "link add",
    "link set",
    "address replace",
    "nft -f",
    "route replace",
    "link delete",
  ],
};

let stage: Stage;
let agent: StallingAgent | undefined;
/** Of the pool now. */
let mode: keyof typeof steps = "ipip";
before(async () => {
  if (skip) return;
  stage = await Stage.open("killed", { nodes: 2, mode: "ipip" });
  await killAgent(stage.lab, "node1", "SIGTERM");
  agent = await StallingAgent.start(stage);
});
after(async () => {
  await agent?.end("SIGKILL");
  await stage?.close();
});

class StallingAgent {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  }

  static async start({ lab }: Stage): Promise<StallingAgent> {
    const { name, namespace, stateDirectory } = lab.nodes[0]!;
    const command = [process.execPath, "--disable-warning=ExperimentalWarning", script];
    const child = spawn(
      "nsenter",
      [`--net=${namespace}`, ...command, name, lab.socketPath, stateDirectory],
      { stdio: ["pipe", "pipe", "inherit"] },
    );
    const agent = new StallingAgent(child);
    await agent.says("started");
    return agent;
  }

  async says(what: string): Promise<void> {
    const late = wait(15_000, undefined, { ref: false }).then(() => ({ value: "nothing in 15 s" }));
    const { value } = await Promise.race([this.#lines.next(), late]);
    assert.equal(value, what);
  }

  async arm(kind: string, ms: number): Promise<void> {
    this.#child.stdin!.write(`${kind} ${ms}\n`);
    await this.says("armed");
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill(signal);
    await exited;
  }
}

async function isComplete(): Promise<void> {
  const { agentSocket } = stage.lab.nodes[0]!;
  for (const startedMs = performance.now(); ; await wait(20)) {
    const diff = await askAgentDiff(agentSocket).catch(() => undefined);
    if (diff?.equal) return;
    assert.ok(performance.now() - startedMs < 20_000, JSON.stringify(diff, null, 2));
  }
}

/** After SIGTERM an agent ends its apply: the longer of the two changes shows that. */
const signals = { SIGKILL: Object.keys(steps), SIGTERM: ["vxlan"] };

for (const signal of ["SIGKILL", "SIGTERM"] as const) {
  test(`ended by ${signal} before each operation of a change`, {
    skip,
    timeout: 280_000,
  }, async (context) => {
    const chosen = Object.entries(steps).filter(([to]) => signals[signal].includes(to));
    const left = new Map(chosen.map(([to, kinds]) => [to, [...kinds]]));
    const planned = chosen.flatMap(([, kinds]) => kinds).length;
    let ends = 0;
    const report = await stage.underTraffic(async () => {
      while ([...left.values()].some((kinds) => kinds.length > 0)) {
        mode = mode === "ipip" ? "vxlan" : "ipip";
        const kind = left.get(mode)?.shift();
        if (kind !== undefined) await agent!.arm(kind, signal === "SIGKILL" ? 60_000 : 100);
        await stage.patch(mode);
        if (kind !== undefined) {
          await agent!.says("stalled");
          await agent!.end(signal);
          // Long enough for packets to meet what was left.
          await wait(200);
          ends++;
          agent = await StallingAgent.start(stage);
        }
        await stage.settled();
        await stage.narrowed();
        await isComplete();
      }
    });
    context.diagnostic(`${ends} agents ended, ${report.total.sent} packets sent`);
    assert.equal(ends, planned);
    assert.deepEqual(losses(report), nothingLost);
  });
}
