/** A datastore whose every operation waits for permission, to try out each order of two clients. */

import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import type { Datastore } from "../datastore/index.ts";

export interface Stepper {
  readonly store: Datastore;
  /** Lets one operation through. False if the client had ended. */
  step(): Promise<boolean>;
}

/** `run` gets the stepped store; everything it does ends at, or between, operations of it. */
export function stepper(inner: Datastore, run: (store: Datastore) => Promise<unknown>): Stepper {
  const waiting: (() => void)[] = [];
  let ended = false;
  let failure: unknown;

  async function gated<T>(operation: () => Promise<T>): Promise<T> {
    await new Promise<void>((resolve) => waiting.push(resolve));
    return operation();
  }

  const store: Datastore = {
    get: (kind, name, how) => gated(() => inner.get(kind, name, how)),
    list: (kind, how) => gated(() => inner.list(kind, how)),
    create: (resource) => gated(() => inner.create(resource)),
    update: (resource) => gated(() => inner.update(resource)),
    delete: (kind, name, how) => gated(() => inner.delete(kind, name, how)),
    watch: (kind, how) => inner.watch(kind, how),
    close: () => inner.close(),
  };
  run(store).then(
    () => {
      ended = true;
    },
    (error) => {
      ended = true;
      failure = error;
    },
  );

  return {
    store,
    async step() {
      // The embedded store answers within the current turn: after one, all that can happen has.
      await setImmediate();
      if (failure !== undefined) throw failure;
      if (ended) return false;
      const next = waiting.shift();
      assert.ok(next, "the client waits for the datastore or has ended");
      next();
      await setImmediate();
      if (failure !== undefined) throw failure;
      return true;
    },
  };
}

/** Steps a client up to `count` times; says how often it did step. */
export async function stepTimes(client: Stepper, count: number): Promise<number> {
  let steps = 0;
  while (steps < count && (await client.step())) steps++;
  return steps;
}
