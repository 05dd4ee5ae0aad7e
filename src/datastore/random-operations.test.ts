/**
 * Random writes against the embedded store and against a plain map that does the same naively,
 * while a collection follows through watches that are cut and a log that forgets. fast-check
 * prints the seed and the shortest failing sequence.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FakeClock, SwitchyardError } from "../lib/index.ts";
import { silentLog } from "../lib/log/index.ts";
import type { BGPPeer, Kind } from "../model/index.ts";
import { Collection, type Datastore, openSqliteStore } from "./index.ts";

type Operation =
  | { readonly kind: "create" | "delete"; readonly name: string }
  | {
      readonly kind: "update";
      readonly name: string;
      readonly asNumber: number;
      readonly stale: boolean;
    }
  | { readonly kind: "other" | "cut" | "pause" };

const name = fc.constantFrom("a", "b", "c");
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ kind: fc.constantFrom("create", "delete"), name }),
  fc.record({ kind: fc.constant("update"), name, asNumber: fc.nat(9), stale: fc.boolean() }),
  fc.record({ kind: fc.constantFrom("other", "cut", "pause") }),
);

function peer(peerName: string): BGPPeer {
  return {
    apiVersion: "projectcalico.org/v3",
    kind: "BGPPeer",
    metadata: { name: peerName },
    spec: {},
  };
}

/** Watches through this end in an error whenever `cut` is called. */
function cuttable(store: Datastore) {
  let ends = new AbortController();
  const view: Pick<Datastore, "list" | "watch"> = {
    list: (kind, options) => store.list(kind, options),
    async *watch<K extends Kind>(kind: K, options: Parameters<Datastore["watch"]>[1]) {
      const signal = AbortSignal.any([ends.signal, options.signal!]);
      yield* store.watch(kind, { ...options, signal });
      throw new SwitchyardError("DATASTORE_UNAVAILABLE", "cut");
    },
  };
  const cut = () => {
    ends.abort();
    ends = new AbortController();
  };
  return { view, cut };
}

async function outcome(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "ok";
  } catch (error) {
    assert.ok(error instanceof SwitchyardError, `${error}`);
    return error.code;
  }
}

class Run {
  readonly clock = new FakeClock();
  readonly store = openSqliteStore(":memory:", { clock: this.clock, keepLogEntries: 6 });
  readonly naive = new Map<string, BGPPeer>();
  readonly #view = cuttable(this.store);
  readonly followed = new Collection({
    store: this.#view.view,
    kind: "BGPPeer",
    clock: this.clock,
    log: silentLog,
  });
  #others = 0;

  async apply(op: Operation): Promise<void> {
    switch (op.kind) {
      case "create":
        return this.#create(op.name);
      case "delete":
        return this.#delete(op.name);
      case "update":
        return this.#update(op);
      case "other": {
        const metadata = { name: `n${this.#others++}` };
        const { apiVersion } = peer("any");
        await this.store.create<"Node">({ apiVersion, kind: "Node", metadata, spec: {} });
        return;
      }
      case "cut":
        return this.#view.cut();
      case "pause":
        return this.clock.advance(10_000);
    }
  }

  async #create(peerName: string): Promise<void> {
    const expected = this.naive.has(peerName) ? "RESOURCE_ALREADY_EXISTS" : "ok";
    assert.equal(await outcome(this.store.create<"BGPPeer">(peer(peerName))), expected);
    if (expected === "ok") this.naive.set(peerName, await this.store.get("BGPPeer", peerName));
  }

  async #delete(peerName: string): Promise<void> {
    const expected = this.naive.has(peerName) ? "ok" : "RESOURCE_NOT_FOUND";
    assert.equal(await outcome(this.store.delete("BGPPeer", peerName)), expected);
    this.naive.delete(peerName);
  }

  async #update(op: Extract<Operation, { kind: "update" }>): Promise<void> {
    const stored = this.naive.get(op.name);
    const base = stored ?? {
      ...peer(op.name),
      metadata: { name: op.name, uid: "u", creationTimestamp: "t", resourceVersion: "1" },
    };
    const resourceVersion = op.stale ? "999999" : base.metadata.resourceVersion!;
    const changed: BGPPeer = {
      ...base,
      metadata: { ...base.metadata, resourceVersion },
      spec: { asNumber: op.asNumber },
    };
    const expected = !stored ? "RESOURCE_NOT_FOUND" : op.stale ? "RESOURCE_CONFLICT" : "ok";
    assert.equal(await outcome(this.store.update<"BGPPeer">(changed)), expected);
    if (expected === "ok") this.naive.set(op.name, await this.store.get("BGPPeer", op.name));
  }
}

test("the store does what a map does, and a collection ends up with the same", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 40 }), async (operations) => {
      const run = new Run();
      run.followed.start();
      let revision = 0;
      for (const op of operations) {
        await run.apply(op);
        const list = await run.store.list("BGPPeer");
        assert.ok(Number(list.resourceVersion) >= revision, "revisions never run backwards");
        revision = Number(list.resourceVersion);
        const expected = [...run.naive.keys()].sort().map((key) => run.naive.get(key));
        assert.deepEqual(list.items, expected);
      }
      await run.clock.advance(60_000);
      assert.equal(run.followed.resourceVersion, `${revision}`);
      assert.deepEqual(new Map([...run.followed.items()].sort()), new Map([...run.naive].sort()));
      await run.followed.stop();
      await run.store.close();
    }),
    { numRuns: 300 },
  );
});
