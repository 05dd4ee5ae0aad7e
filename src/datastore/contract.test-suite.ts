/**
 * What every datastore must do, as tests: run against each implementation, our API server's client
 * included, so that none of them drifts from the others.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode, SwitchyardError } from "../lib/index.ts";
import type { IPAMBlock, IPPool, WorkloadEndpoint } from "../model/index.ts";
import { kubernetesKindsContract } from "./kubernetes-kinds.test-suite.ts";
import { compareRevisions } from "./object-key.ts";
import type { Datastore, WatchEvent } from "./types.ts";

export interface OpenedStore {
  readonly store: Datastore;
  close(): Promise<void>;
}

export interface ContractOptions {
  readonly name: string;
  /** An empty store, whose log keeps no more than 200 writes. */
  open(): Promise<OpenedStore>;
}

function pool(name: string, cidr: string, more: object = {}): IPPool {
  return {
    apiVersion: "projectcalico.org/v3",
    kind: "IPPool",
    metadata: { name },
    spec: { cidr, vxlanMode: "Never", ipipMode: "Always", ...more },
  } as IPPool;
}

function endpoint(namespace: string, pod: string): WorkloadEndpoint {
  return {
    apiVersion: "projectcalico.org/v3",
    kind: "WorkloadEndpoint",
    metadata: { name: `node1-k8s-${pod}-eth0`, namespace },
    spec: {
      orchestrator: "k8s",
      node: "node1",
      pod,
      endpoint: "eth0",
      interfaceName: "cali12345678901",
      ipNetworks: ["10.0.0.1/32"],
    },
  };
}

function withSpec(resource: IPPool, spec: object): IPPool {
  return { ...resource, spec: { ...resource.spec, ...spec } };
}

async function refusal(promise: Promise<unknown>): Promise<SwitchyardError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof SwitchyardError, `not a SwitchyardError: ${error}`);
    return error;
  }
  throw new assert.AssertionError({ message: "expected a refusal, but it succeeded" });
}

type Follow = AsyncIterator<WatchEvent<"IPPool">>;

/** The next event that is not a bookmark, as `type name`. */
async function nextChange(events: Follow): Promise<string> {
  for (;;) {
    const { value, done } = await events.next();
    if (done) return "end";
    if (value.type !== "bookmark") return `${value.type} ${value.resource.metadata.name}`;
  }
}

export function datastoreContract(options: ContractOptions): void {
  const contract = (title: string, body: (store: Datastore) => Promise<void>) =>
    test(`${options.name}: ${title}`, { timeout: 30_000 }, async () => {
      const opened = await options.open();
      try {
        await body(opened.store);
      } finally {
        await opened.close();
      }
    });

  kubernetesKindsContract(options);

  contract("create returns the object as get and list return it, with identity", async (store) => {
    const created = await store.create(pool("a", "10.0.0.0/16"));
    assert.match(created.metadata.uid ?? "", /^[0-9a-f-]{36}$/);
    assert.match(created.metadata.creationTimestamp ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.match(created.metadata.resourceVersion ?? "", /^\d+$/);
    assert.deepEqual(await store.get("IPPool", "a"), created);
    const list = await store.list("IPPool");
    assert.deepEqual(list.items, [created]);
    assert.ok(compareRevisions(list.resourceVersion, created.metadata.resourceVersion ?? "") >= 0);
  });

  contract("refusals carry Calico's texts and change nothing", async (store) => {
    const created = await store.create(pool("a", "10.0.0.0/16"));
    const rows: [() => Promise<unknown>, string, string][] = [
      [
        () => store.create(pool("a", "10.0.0.0/16")),
        "RESOURCE_ALREADY_EXISTS",
        "resource already exists: IPPool(a) with error: <nil>",
      ],
      [
        () => store.get("IPPool", "b"),
        "RESOURCE_NOT_FOUND",
        "resource does not exist: IPPool(b) with error: <nil>",
      ],
      [
        () => store.delete("IPPool", "b"),
        "RESOURCE_NOT_FOUND",
        "resource does not exist: IPPool(b) with error: <nil>",
      ],
      [
        () =>
          store.update({
            ...created,
            metadata: { ...created.metadata, resourceVersion: "999999" },
          }),
        "RESOURCE_CONFLICT",
        "update conflict: IPPool(a)",
      ],
      [
        () => store.update({ ...created, metadata: { ...created.metadata, name: "b" } }),
        "RESOURCE_NOT_FOUND",
        "resource does not exist: IPPool(b) with error: <nil>",
      ],
      [
        () =>
          store.create({
            ...pool("c", "11.0.0.0/16"),
            metadata: { name: "c", resourceVersion: "1" },
          }),
        "RESOURCE_INVALID",
        "error with field Metadata.ResourceVersion = '1' (field must not be set for a Create request)",
      ],
      [
        () => store.update(pool("a", "10.0.0.0/16")),
        "RESOURCE_INVALID",
        "error with field Metadata.ResourceVersion = '' (field must be set for an Update request)",
      ],
      [
        () => store.get("WorkloadEndpoint", "w"),
        "RESOURCE_INVALID",
        "error with field Metadata.Namespace = '' (namespace is not specified on namespaced resource)",
      ],
    ];
    for (const [attempt, code, message] of rows) {
      const error = await refusal(attempt());
      assert.deepEqual([error.code, error.message], [code, message]);
    }
    assert.deepEqual((await store.list("IPPool")).items, [created]);
  });

  contract("a name is a name, whatever its characters", async (store) => {
    for (const name of ["a/b", "..", "a b", "%2f", "é", "a?b#c", "status", "__proto__", "\n"]) {
      const error = await refusal(store.get("IPPool", name));
      assert.equal(error.message, `resource does not exist: IPPool(${name}) with error: <nil>`);
    }
    for (const attempt of [store.get("IPPool", ""), store.delete("IPPool", "")]) {
      const error = await refusal(attempt);
      assert.equal(error.code, "RESOURCE_INVALID");
      assert.equal(error.message, "insufficient identifiers, missing 'name'");
    }
  });

  contract("an update needs the current revision and gives a later one", async (store) => {
    const first = await store.create(pool("a", "10.0.0.0/16"));
    const second = await store.update(withSpec(first, { natOutgoing: true }));
    assert.equal(second.spec.natOutgoing, true);
    assert.equal(second.metadata.uid, first.metadata.uid);
    const [before, after] = [first, second].map((it) => it.metadata.resourceVersion ?? "");
    assert.ok(compareRevisions(after ?? "", before ?? "") > 0);
    const error = await refusal(store.update(withSpec(first, { disabled: true })));
    assert.equal(error.code, "RESOURCE_CONFLICT");
    assert.deepEqual(await store.get("IPPool", "a"), second);
  });

  contract("of many writers with one revision exactly one wins", async (store) => {
    let current = await store.create(pool("a", "10.0.0.0/16"));
    for (let round = 0; round < 5; round++) {
      const writers = Array.from({ length: 10 }, (_, index) =>
        store.update(withSpec(current, { nodeSelector: `w == "${round}-${index}"` })),
      );
      const results = await Promise.allSettled(writers);
      const won = results.filter((result) => result.status === "fulfilled");
      const lost = results.filter((result) => result.status === "rejected");
      assert.equal(won.length, 1);
      for (const { reason } of lost) assert.ok(hasCode(reason, "RESOURCE_CONFLICT"), `${reason}`);
      current = won[0]!.value;
      assert.deepEqual(await store.get("IPPool", "a"), current);
    }
  });

  contract("read-modify-write by many loses no increment", async (store) => {
    await store.create({
      apiVersion: "projectcalico.org/v3",
      kind: "IPAMHandle",
      metadata: { name: "h" },
      spec: { handleID: "h", block: { "10.0.0.0/26": 0 } },
    });
    const increment = async () => {
      for (;;) {
        const handle = await store.get("IPAMHandle", "h");
        const block = { "10.0.0.0/26": (handle.spec.block["10.0.0.0/26"] ?? 0) + 1 };
        try {
          return await store.update({ ...handle, spec: { ...handle.spec, block } });
        } catch (error) {
          if (!hasCode(error, "RESOURCE_CONFLICT")) throw error;
        }
      }
    };
    await Promise.all(Array.from({ length: 12 }, increment));
    const handle = await store.get("IPAMHandle", "h");
    assert.equal(handle.spec.block["10.0.0.0/26"], 12);
  });

  contract("delete returns the object and honours its preconditions", async (store) => {
    const created = await store.create(endpoint("red", "p1"));
    const { name, uid, resourceVersion } = created.metadata;
    const namespace = "red";
    const other = { namespace, uid: "00000000-0000-4000-8000-000000000000" };
    assert.equal(
      (await refusal(store.delete("WorkloadEndpoint", name, other))).code,
      "RESOURCE_CONFLICT",
    );
    const stale = { namespace, resourceVersion: "999999" };
    assert.equal(
      (await refusal(store.delete("WorkloadEndpoint", name, stale))).code,
      "RESOURCE_CONFLICT",
    );
    const exact = { namespace, uid: uid!, resourceVersion: resourceVersion! };
    assert.deepEqual(await store.delete("WorkloadEndpoint", name, exact), created);
    assert.equal(
      (await refusal(store.get("WorkloadEndpoint", name, { namespace }))).message,
      `resource does not exist: WorkloadEndpoint(red/${name}) with error: <nil>`,
    );
  });

  contract(
    "namespaces keep equal names apart and can be listed alone or together",
    async (store) => {
      await store.create(endpoint("red", "p1"));
      await store.create(endpoint("blue", "p1"));
      const name = "node1-k8s-p1-eth0";
      const red = await store.get("WorkloadEndpoint", name, { namespace: "red" });
      assert.equal(red.metadata.namespace, "red");
      const names = async (namespace?: string) =>
        (await store.list("WorkloadEndpoint", namespace ? { namespace } : {})).items.map(
          (item) => item.metadata.namespace,
        );
      assert.deepEqual(await names("blue"), ["blue"]);
      assert.deepEqual(await names(), ["blue", "red"]);
      assert.deepEqual(await names("green"), []);
    },
  );

  contract("integers beyond 2^53 are kept to the digit", async (store) => {
    const block: IPAMBlock = {
      apiVersion: "projectcalico.org/v3",
      kind: "IPAMBlock",
      metadata: { name: "10-0-0-0-30" },
      spec: {
        cidr: "10.0.0.0/30",
        affinity: "host:node1",
        allocations: [null, 0, null, null],
        unallocated: [0, 2, 3],
        attributes: [{ handle_id: "h", secondary: { pod: "p" } }],
        sequenceNumber: 1_790_000_000_123_456_789n,
        sequenceNumberForAllocation: { "1": 1_790_000_000_123_456_788n },
      },
    };
    await store.create(block);
    const { spec } = await store.get("IPAMBlock", "10-0-0-0-30");
    assert.equal(spec.sequenceNumber, 1_790_000_000_123_456_789n);
    assert.equal(spec.sequenceNumberForAllocation?.["1"], 1_790_000_000_123_456_788n);
    assert.deepEqual(spec.allocations, [null, 0, null, null]);
  });

  contract("a watch replays what happened since its revision, then follows", async (store) => {
    const a = await store.create(pool("a", "10.0.0.0/16"));
    const { resourceVersion } = await store.list("IPPool");
    const b = await store.create(pool("b", "11.0.0.0/16"));
    await store.update(withSpec(a, { natOutgoing: true }));
    const stop = new AbortController();
    const watch = store.watch("IPPool", { resourceVersion, signal: stop.signal });
    const events = watch[Symbol.asyncIterator]();
    assert.equal(await nextChange(events), "added b");
    assert.equal(await nextChange(events), "modified a");
    const pending = nextChange(events);
    await store.update(withSpec(b, { disabled: true }));
    assert.equal(await pending, "modified b");
    await store.create(pool("c", "12.0.0.0/16"));
    assert.equal(await nextChange(events), "added c");
    const end = nextChange(events);
    stop.abort();
    assert.equal(await end, "end");
  });

  contract("a watch tells of deletion, with the revision of the deletion", async (store) => {
    const created = await store.create(endpoint("red", "p1"));
    const revision = created.metadata.resourceVersion ?? "";
    const stop = new AbortController();
    const watch = store.watch("WorkloadEndpoint", {
      resourceVersion: revision,
      signal: stop.signal,
    });
    await store.delete("WorkloadEndpoint", created.metadata.name, { namespace: "red" });
    for await (const event of watch) {
      if (event.type === "bookmark") continue;
      assert.equal(event.type, "deleted");
      assert.equal(event.resource.metadata.namespace, "red");
      assert.ok(compareRevisions(event.resource.metadata.resourceVersion ?? "", revision) > 0);
      break;
    }
    stop.abort();
  });

  contract("a watch gets a bookmark soon after a write to another kind", async (store) => {
    const { resourceVersion } = await store.list("IPPool");
    const stop = new AbortController();
    const events = store
      .watch("IPPool", { resourceVersion, signal: stop.signal })
      [Symbol.asyncIterator]();
    const first = (await events.next()).value;
    assert.equal(first?.type, "bookmark");
    const created = await store.create(endpoint("red", "p1"));
    const revision = created.metadata.resourceVersion ?? "";
    for (;;) {
      const { value } = await events.next();
      assert.equal(value?.type, "bookmark");
      if (compareRevisions(value.resourceVersion, revision) >= 0) break;
    }
    stop.abort();
    await events.return?.();
  });

  contract("every watcher sees every write once and in order", async (store) => {
    const { resourceVersion } = await store.list("IPPool");
    const stop = new AbortController();
    const follow = async () => {
      const seen: string[] = [];
      for await (const event of store.watch("IPPool", { resourceVersion, signal: stop.signal })) {
        if (event.type === "bookmark") continue;
        seen.push(event.resource.metadata.resourceVersion ?? "");
        if (event.resource.metadata.name === "last") return seen;
      }
      return seen;
    };
    const watchers = Array.from({ length: 5 }, follow);
    let current = await store.create(pool("a", "10.0.0.0/16"));
    for (let i = 0; i < 50; i++)
      current = await store.update(withSpec(current, { disabled: i % 2 === 0 }));
    await store.create(pool("last", "11.0.0.0/16"));
    const results = await Promise.all(watchers);
    for (const seen of results) {
      assert.equal(seen.length, 52);
      assert.deepEqual(seen, seen.toSorted(compareRevisions));
      assert.equal(new Set(seen).size, 52);
    }
    stop.abort();
  });

  contract("a watch from a forgotten revision expires, and says to list again", async (store) => {
    const { resourceVersion } = await store.list("IPPool");
    let current = await store.create(pool("a", "10.0.0.0/16"));
    for (let i = 0; i < 300; i++)
      current = await store.update(withSpec(current, { disabled: i % 2 === 0 }));
    for (const revision of [resourceVersion, "99999999"]) {
      const events = store.watch("IPPool", { resourceVersion: revision })[Symbol.asyncIterator]();
      const error = await refusal(events.next());
      assert.equal(error.code, "WATCH_EXPIRED");
      assert.match(error.message, /list again/);
    }
    const list = await store.list("IPPool");
    const stop = new AbortController();
    const events = store
      .watch("IPPool", { resourceVersion: list.resourceVersion, signal: stop.signal })
      [Symbol.asyncIterator]();
    assert.equal((await events.next()).value?.type, "bookmark");
    stop.abort();
    await events.return?.();
  });

  contract("a watch already aborted yields nothing", async (store) => {
    const { resourceVersion } = await store.list("IPPool");
    const watch = store.watch("IPPool", { resourceVersion, signal: AbortSignal.abort() });
    for await (const event of watch) assert.fail(`unexpected ${event.type}`);
  });
}
