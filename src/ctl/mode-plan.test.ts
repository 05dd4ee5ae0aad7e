/** `mode plan`: what it prints, how it ends, and that it writes nothing. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openApiClient } from "../datastore/index.ts";
import { openSession, poolText, type Session } from "./testing/session.ts";

describe("mode plan", () => {
  let session: Session;
  before(async () => {
    session = await openSession();
    const node = "apiVersion: projectcalico.org/v3\nkind: Node\nmetadata: {name: a}\n";
    const resources = [
      poolText("pods", "{cidr: 10.244.0.0/16, ipipMode: Always}"),
      `${node}spec: {bgp: {ipv4Address: 172.139.20.71/24}}\n`,
    ];
    const { status } = await session.run(
      "create",
      "-f",
      session.file("cluster.yaml", resources.join("---\n")),
    );
    assert.equal(status, 0);
  });
  after(() => session.close());

  const revision = async () => {
    const store = openApiClient({ socketPath: session.socketPath });
    const { resourceVersion } = await store.list("IPPool");
    await store.close();
    return resourceVersion;
  };

  test("a trap that refuses is said with its remedy, and by the exit code", async () => {
    const { stdout, status } = await session.run("mode", "plan", "pods", "--to", "none");
    assert.match(stdout, /^Change of pool pods to none$/m);
    assert.match(stdout, /refuse NODE_WITHOUT_AGENT: node a: no agent has spoken/);
    assert.match(stdout, /remedy: Start `switchyard agent`/);
    assert.match(stdout, /It would be refused/);
    assert.equal(status, 3);
  });

  test("a trap that is accepted refuses nothing", async () => {
    const args = ["plan", "pods", "--to", "none", "--accept", "NODE_WITHOUT_AGENT"];
    const { stdout, status } = await session.run("mode", ...args);
    assert.match(stdout, /accepted NODE_WITHOUT_AGENT/);
    assert.match(stdout, /Nothing refuses it/);
    assert.equal(status, 0);
  });

  test("as JSON", async () => {
    const { stdout } = await session.run("mode", "plan", "pods", "--to", "none", "-o", "json");
    const { refused, traps } = JSON.parse(stdout) as {
      refused: boolean;
      traps: { code: string }[];
    };
    assert.equal(refused, true);
    assert.ok(traps.some(({ code }) => code === "NODE_WITHOUT_AGENT"));
  });

  test("of the mesh: sessions, who would be left without peers, and no proof", async () => {
    const { stdout, status } = await session.run("mode", "plan", "--mesh", "off");
    assert.match(stdout, /^Change of the node-to-node mesh to off$/m);
    assert.match(stdout, /^ {2}a cannot be foreseen: it has published no BGP sessions$/m);
    assert.match(stdout, /^Proof: none/m);
    assert.match(stdout, /refuse NODE_WITHOUT_AGENT/);
    assert.equal(status, 3);
  });

  test("it writes nothing", async () => {
    const beforeIt = await revision();
    await session.run("mode", "plan", "pods", "--to", "vxlan");
    assert.equal(await revision(), beforeIt);
  });

  test("a mode that is none, and no mode, are refused before anything is read", async () => {
    for (const flags of [["--to", "gre"], []]) {
      const { status } = await session.run("mode", "plan", "pods", ...flags);
      assert.equal(status, 1);
    }
  });
});
