/** When a NodeHost is written, and when it is not. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Datastore, openSqliteStore, withRules } from "../../datastore/index.ts";
import { FakeClock } from "../../lib/index.ts";
import { silentLog } from "../../lib/log/index.ts";
import { hostReading } from "../testing.ts";
import type { HostInput } from "./facts.ts";
import { HostPublisher } from "./publisher.ts";

class Bench {
  readonly clock = new FakeClock();
  readonly store: Datastore = withRules(openSqliteStore(":memory:"), { clock: this.clock });
  owner = "one";
  looks = 0;
  fails: string | undefined;
  change: Partial<HostInput> = {};
  readonly publisher = new HostPublisher({
    store: this.store,
    node: "node1",
    clock: this.clock,
    log: silentLog,
    look: async () => {
      this.looks++;
      if (this.fails) throw new Error(this.fails);
      return { owner: this.owner, input: { ...base, ...this.change } };
    },
  });

  async run(ms: number): Promise<void> {
    for (let i = 0; i < 20; i++) await this.clock.advance(ms / 20);
  }

  async noted(ms = 6_000): Promise<void> {
    this.publisher.note();
    await this.run(ms);
  }

  async revision(): Promise<string | undefined> {
    return (await this.store.list("NodeHost")).items[0]?.metadata.resourceVersion;
  }
}

const base: HostInput = {
  node: "node1",
  nodes: [],
  reading: hostReading(),
  host: undefined,
  mtuIfacePattern: "^eth",
  vxlan: { port: 4789, vni: 4096 },
  ipipBackend: "kernel",
  workloadDevicePrefix: "cali",
  podMtus: [1450],
  bgp: { localAs: 64512, peers: [] },
  missing: [],
  version: "test",
};

async function written(): Promise<Bench> {
  const bench = new Bench();
  await bench.noted(100);
  assert.ok(await bench.revision());
  return bench;
}

test("it looks at once, and then once a second, however often it is told", async () => {
  const bench = await written();
  await bench.noted(1_000);
  const { looks } = bench;
  for (let i = 0; i < 50; i++) await bench.noted(100);
  assert.ok(bench.looks - looks >= 4 && bench.looks - looks <= 6, `${bench.looks - looks} in 5 s`);
});

test("what is new all the time is written ever more seldom, every 5 s in the end", async () => {
  const bench = await written();
  let writes = 0;
  let before = await bench.revision();
  const countFor = async (ms: number) => {
    writes = 0;
    for (let i = 0; i < ms / 100; i++) {
      bench.change = { version: `${i} ${ms}` };
      await bench.noted(100);
      const now = await bench.revision();
      if (now !== before) writes++;
      before = now;
    }
    return writes;
  };
  const first = await countFor(3_000);
  assert.ok(first >= 3 && first <= 5, `${first} writes in the first 3 s`);
  await countFor(10_000);
  const later = await countFor(20_000);
  assert.ok(later >= 3 && later <= 5, `${later} writes in 20 s`);
});

test("it writes what has changed, and nothing that has not", async () => {
  const bench = await written();
  const first = await bench.revision();
  await bench.noted();
  assert.equal(await bench.revision(), first);
  bench.change = { podMtus: [1450, 1450] };
  await bench.noted();
  assert.equal(await bench.revision(), first, "another pod of the same MTU");
  bench.change = { podMtus: [1450, 1480] };
  await bench.noted();
  assert.notEqual(await bench.revision(), first, "another MTU");
});

test("a block is missing when BGP has not told of it for 5 s", async () => {
  const bench = await written();
  const first = await bench.revision();
  bench.change = { missing: ["10.244.3.0/26"] };
  await bench.noted(4_000);
  assert.equal(await bench.revision(), first);
  await bench.run(6_000);
  const { items } = await bench.store.list("NodeHost");
  assert.deepEqual(items[0]?.status?.bgp?.missing, { count: 1, blocks: ["10.244.3.0/26"] });
});

test("an agent that starts again does not write what is stored already", async () => {
  const bench = await written();
  const first = await bench.revision();
  const { store, clock } = bench;
  const again = new HostPublisher({
    ...{ store, node: "node1", clock, log: silentLog },
    look: async () => ({ owner: "one", input: base }),
  });
  again.note();
  await bench.run(100);
  assert.equal(await bench.revision(), first);
});

test("it is written again for a Node that was deleted and made anew", async () => {
  const bench = await written();
  await bench.store.delete("NodeHost", "node1");
  bench.owner = "two";
  await bench.noted();
  assert.ok(await bench.revision());
});

test("what fails is tried again", async () => {
  const bench = new Bench();
  bench.fails = "away";
  await bench.noted(100);
  assert.equal(await bench.revision(), undefined);
  assert.deepEqual(bench.publisher.troubles, ["NodeHost: away"]);
  bench.fails = undefined;
  await bench.run(6_000);
  assert.ok(await bench.revision());
  assert.deepEqual(bench.publisher.troubles, []);
  await bench.publisher.stop();
});
