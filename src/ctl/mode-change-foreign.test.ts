/** `mode change` where no agent of ours runs: little can be done, and that is said. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { FakeClock } from "../lib/index.ts";
import { modeName } from "../model/index.ts";
import type { CtlContext } from "./context.ts";
import { type Cluster, openCluster } from "./testing/scripted-driver.ts";
import { runWith } from "./testing/session.ts";

describe("mode change without agents", () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await openCluster({ agents: false });
  });
  after(() => cluster.close());

  const modeNow = async () => modeName((await cluster.store.get("IPPool", "pods")).spec);
  const run = (surroundings: Partial<CtlContext>, ...flags: string[]) =>
    runWith(
      { SWITCHYARD_SOCKET: cluster.session.socketPath },
      ["mode", "change", "pods", ...flags],
      surroundings,
    );
  const unproven = ["--skip-proof", "--reason", "Calico runs here"];

  test("is refused unless it is asked for without proof", async () => {
    for (const command of ["change", "prove"]) {
      const args = ["mode", command, "pods", "--to", "vxlan"];
      const { stdout, stderr, status } = await cluster.session.run(...args);
      assert.equal(stdout, "");
      assert.match(
        stderr,
        /^no agent of Switchyard has said anything .*\n.*`mode change --skip-proof --reason WHY`/,
      );
      assert.equal(status, 1);
    }
    assert.equal(await modeNow(), "ipip");
  });

  test("is patched back when nobody confirms it in time", async () => {
    const clock = new FakeClock();
    const started = run({ clock }, "--to", "vxlan", ...unproven, "--confirm-within", "90s");
    await untilMode("vxlan");
    await clock.advance(89_000);
    assert.equal(await modeNow(), "vxlan");
    await untilTimer(clock);
    await clock.advance(90_000);
    const { stdout, status } = await started;
    assert.match(stdout, /^pods: not proved: whether the fabric carries the new encapsulation/m);
    assert.match(
      stdout,
      /^pods: nobody can confirm it, as this is no terminal: it is patched back in 1 min 30 s/m,
    );
    assert.match(stdout, /^pods: this command does that, and nobody else: if it dies/m);
    assert.match(stdout, /^pods: 0 of 2 nodes have an address for the tunnel; not node1, node2$/m);
    assert.match(stdout, /\npods: patched back to ipip\n$/);
    assert.equal(status, 4);
    assert.equal(await modeNow(), "ipip");
  });

  const words: [word: string, mode: string, exitStatus: number][] = [
    ["rollback", "ipip", 4],
    ["confirm", "vxlan", 0],
  ];
  for (const [word, mode, exitStatus] of words) {
    test(`is answered by ${word}, and not by anything else`, async () => {
      let type: ((line: string) => void) | undefined;
      const onLine = (listener: (line: string) => void) => {
        type = listener;
        return () => {
          type = undefined;
        };
      };
      const started = run({ onLine }, "--to", "vxlan", ...unproven);
      await untilMode("vxlan");
      while (!type) await new Promise(setImmediate);
      type("yes");
      type(` ${word} `);
      const { stdout, status } = await started;
      assert.match(stdout, /^pods: type confirm, or rollback$/m);
      assert.equal(status, exitStatus);
      assert.equal(type, undefined, "nobody listens any more");
      assert.equal(await modeNow(), mode);
    });
  }

  test("leaves alone what another hand wrote meanwhile", async () => {
    let press: (() => void) | undefined;
    const onInterrupt = (listener: () => void) => {
      press = listener;
      return () => {};
    };
    const started = run({ onInterrupt }, "--to", "none", ...unproven);
    await untilMode("none");
    const spec = '{"spec":{"ipipMode":"CrossSubnet"}}';
    assert.equal((await cluster.session.run("patch", "ippool", "pods", "-p", spec)).status, 0);
    while (!press) await new Promise(setImmediate);
    press();
    const { stdout, status } = await started;
    assert.match(stdout, /another hand wrote ipip-cross-subnet meanwhile: that stays\n$/);
    assert.equal(status, 5);
    assert.equal(await modeNow(), "ipip-cross-subnet");
  });

  test("with --yes and -o json is done at once, and says what is not proved", async () => {
    const { stdout, stderr, status } = await run(
      {},
      "--to",
      "none",
      ...unproven,
      "--yes",
      "-o",
      "json",
    );
    const document = JSON.parse(stdout);
    assert.equal(document.result, "done");
    assert.equal(document.unproved.length, 3);
    assert.match(stderr, /^pods: patched from ipip-cross-subnet to none/m);
    assert.equal(status, 0);
    assert.equal(await modeNow(), "none");
  });

  test("a trap refuses it all the same", async () => {
    const node = await cluster.store.get("Node", "node2");
    await cluster.store.update<"Node">({ ...node, spec: {} });
    const { stdout, status } = await run({}, "--to", "vxlan", ...unproven, "--yes");
    assert.match(
      stdout,
      /^pods: trap refuse NODE_WITHOUT_ADDRESS: .*\npods: refused by a trap; nothing was changed\n$/m,
    );
    assert.equal(status, 3);
    assert.equal(await modeNow(), "none");
  });

  async function untilMode(mode: string): Promise<void> {
    while ((await modeNow()) !== mode) await new Promise(setImmediate);
  }

  async function untilTimer(clock: FakeClock): Promise<void> {
    while (clock.pendingTimers === 0) await new Promise(setImmediate);
  }
});
