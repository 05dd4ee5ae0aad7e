import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import type { AgentDiff } from "../agent/index.ts";
import { runWith } from "./testing/session.ts";

const different: AgentDiff = {
  node: "n1",
  equal: false,
  objects: 12,
  differences: [
    { kind: "missing", planned: "route 10.244.2.0/26 via 172.139.20.76 dev eth0", reason: "block" },
    { kind: "unplanned", held: "address 10.9.9.9/32 dev tunl0", reason: "ours, and not planned" },
    {
      kind: "differs",
      planned: "sysctl net/ipv4/ip_forward = 1",
      held: "sysctl net/ipv4/ip_forward = 0",
      reason: "pods",
    },
  ],
};

/** The state directory of an agent that answers so. */
async function agent(
  context: TestContext,
  answer: { readonly code: number; readonly body: string },
): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "switchyard-diff-"));
  const server = createServer((request, response) => {
    assert.equal(request.url, "/diff");
    response.writeHead(answer.code).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(join(directory, "agent.sock"), resolve));
  context.after(() => {
    server.close();
    rmSync(directory, { recursive: true });
  });
  return directory;
}

const diff = (directory: string, ...flags: string[]) =>
  runWith({ SWITCHYARD_STATE_DIR: directory }, ["node", "diff", ...flags]);

describe("node diff", () => {
  it("ends with 0 when the kernel holds the plan", async (context) => {
    const equal = { node: "n1", equal: true, objects: 12, differences: [] };
    const directory = await agent(context, { code: 200, body: JSON.stringify(equal) });
    assert.deepEqual(await diff(directory), {
      stdout: "node n1: the kernel holds the plan (12 objects)\n",
      stderr: "",
      status: 0,
    });
  });

  it("prints what differs, and ends with 1", async (context) => {
    const directory = await agent(context, { code: 200, body: JSON.stringify(different) });
    const { stdout, stderr, status } = await diff(directory);
    assert.deepEqual([stderr, status], ["", 1]);
    assert.equal(
      stdout,
      [
        "+ route 10.244.2.0/26 via 172.139.20.76 dev eth0",
        "    block",
        "- address 10.9.9.9/32 dev tunl0",
        "    ours, and not planned",
        "~ sysctl net/ipv4/ip_forward = 1",
        "    kernel: sysctl net/ipv4/ip_forward = 0",
        "    pods",
        "node n1: 1 missing (+), 1 not planned (-), 1 different (~); the plan holds 12 objects",
        "",
      ].join("\n"),
    );
    const json = await diff(directory, "-o", "json");
    assert.deepEqual([JSON.parse(json.stdout), json.status], [different, 1]);
  });

  it("ends with 2 when the agent has no plan yet", async (context) => {
    const body = "compare plan and kernel: the datastore has not been read yet\n";
    const directory = await agent(context, { code: 503, body });
    assert.deepEqual(await diff(directory), {
      stdout: "",
      stderr: `the agent at ${directory}/agent.sock answers 503: ${body}`,
      status: 2,
    });
  });

  it("ends with 2 when nobody answers, or the format is unknown", async (context) => {
    const directory = await agent(context, { code: 200, body: "hello" });
    const garbled = await diff(directory);
    assert.deepEqual([garbled.status, garbled.stdout], [2, ""]);
    assert.match(garbled.stderr, /is not a Switchyard agent/);
    const nobody = await diff(join(directory, "nobody"));
    assert.deepEqual([nobody.status, nobody.stdout], [2, ""]);
    assert.match(nobody.stderr, /^Calico process is not running\.\nNo agent answers at /);
    const format = await diff(directory, "-o", "yaml");
    assert.deepEqual([format.status, format.stderr], [2, "unrecognized output format 'yaml'\n"]);
  });
});
