/**
 * A BGPFilter in a plain network whose routers route pods: it is named by a peer, changed and deleted under
 * traffic, and what the routers are told follows, without one session ended or one packet lost.
 */

import assert from "node:assert/strict";
import { resolve } from "node:path";
import { after, before, test } from "node:test";
import { askAgent } from "../../src/ctl/agent-socket.ts";
import { sleep } from "../../src/lib/index.ts";
import type { BGPFilter } from "../../src/model/index.ts";
import { run } from "./console-blocks.ts";
import { clock, losses, nothingLost, Stage } from "./stage.ts";

const skip = process.getuid?.() === 0 ? false : "needs root to make network namespaces";
const root = resolve(import.meta.dirname, "../..");
const LAB = "filters";
const LIMIT_MS = 30_000;
let stage: Stage;

before(async () => {
  if (!skip) stage = await Stage.open(LAB, { nodes: 3, mode: "none" });
});
after(async () => {
  await stage?.close();
});

const filter = (spec: BGPFilter["spec"]): BGPFilter => ({
  apiVersion: "projectcalico.org/v3",
  kind: "BGPFilter",
  metadata: { name: "to-routers" },
  spec,
});
const pods = { cidr: "10.244.0.0/16", matchOperator: "In" } as const;
/** A router that takes a longer path for worse would go by nodes that hand on others' blocks: they are not to. */
const ownOnly = { ...pods, source: "RemotePeers", action: "Reject" } as const;
const marked = (value: string, ...prefix: number[]) => ({
  ...pods,
  prefixLength: { max: 26 },
  action: "Accept" as const,
  operations: [
    { addCommunity: { value } },
    ...(prefix.length > 0 ? [{ prependASPath: { prefix } }] : []),
  ],
});

interface Told {
  readonly prefix: string;
  readonly peer: string;
  readonly asPath: readonly number[];
  readonly communities: readonly string[];
}

/** What the router of a node has been told by it of each of these blocks, in a line. */
function toldToRouter(node: string, blocks: readonly string[]): string[] {
  const command = "switchyard bgp routes out -o json";
  const output = run(`bin/switchyard lab --name ${LAB} exec ${node} -- ${command}`, root);
  const routes = (JSON.parse(output) as Told[]).filter(({ peer }) => peer.startsWith("Node_"));
  return blocks.map((block) => {
    const found = routes.find(({ prefix }) => prefix === block);
    return found ? [found.asPath.join(" "), ...found.communities].join(" ") : "nothing";
  });
}

/** Until every node tells its router this of its own block, and that of the next node's. */
async function untilTold(own: string, others: string): Promise<void> {
  const startedMs = clock.monotonicMs();
  for (const [index, node] of stage.nodeNames.entries()) {
    const next = stage.nodeNames[(index + 1) % stage.nodeNames.length]!;
    const blocks = [await stage.blockOf(node), await stage.blockOf(next)];
    for (;;) {
      const told = toldToRouter(node, blocks);
      if (told[0] === own && told[1] === others) break;
      const late = clock.monotonicMs() - startedMs > LIMIT_MS;
      assert.ok(
        !late,
        `${node} tells its router ${told.join(", and ")}, not ${own}, and ${others}`,
      );
      await sleep(clock, 200);
    }
  }
}

async function setFilter(exportV4: BGPFilter["spec"]["exportV4"] & {}): Promise<void> {
  const { metadata } = await stage.store.get("BGPFilter", "to-routers");
  await stage.store.update<"BGPFilter">({ ...filter({ exportV4 }), metadata });
}

async function sessions(): Promise<string[]> {
  const all = await Promise.all(stage.lab.nodes.map((node) => askAgent(node.agentSocket)));
  return all.flatMap(({ node, peers }) =>
    peers.map(({ address, state, since }) => `${node} ${address} ${state} ${since}`),
  );
}

test("a filter comes, changes and goes under traffic", { skip }, async () => {
  await untilTold("64512", "64512");
  const before = await sessions();
  const report = await stage.underTraffic(async () => {
    await stage.store.create<"BGPFilter">(filter({ exportV4: [ownOnly] }));
    for (const peer of (await stage.store.list("BGPPeer")).items) {
      const spec = { ...peer.spec, filters: ["to-routers"] };
      await stage.store.update<"BGPPeer">({ ...peer, spec });
    }
    await untilTold("64512", "nothing");
    await setFilter([ownOnly, marked("65000:1", 64512)]);
    await untilTold("64512 64512 65000:1", "nothing");
    await setFilter([ownOnly, marked("65000:2")]);
    await untilTold("64512 65000:2", "nothing");
    await stage.store.delete("BGPFilter", "to-routers");
    await untilTold("64512", "64512");
  });
  assert.deepEqual(losses(report), nothingLost);
  assert.deepEqual(await sessions(), before);
  const status = run(`bin/switchyard lab --name ${LAB} exec node1 -- switchyard node status`, root);
  assert.match(
    status,
    /BGPPeer lab-router-20: filter to-routers is passed over: there is no such BGPFilter/,
  );
});
