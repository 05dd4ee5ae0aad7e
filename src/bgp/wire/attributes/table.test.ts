/** What is known of attribute sets, and what is forgotten. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { AttributeTable } from "./table.ts";

const COUNT = 200_000;

/** A few turns: what was looked at through a WeakRef in one stays until its end. */
async function collectGarbage(): Promise<void> {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    gc();
  }
}

describe("a table of attribute sets", () => {
  it("knows what a route has, however many came since, and forgets the others", async () => {
    const table = new AttributeTable<{ readonly set: number }>();
    const routes: { readonly set: number }[] = [];
    for (let set = 0; set < COUNT; set++) {
      const known = table.add(`${set}`, { set });
      if (set % 100 === 0) routes.push(known);
      if (set % 20_000 === 0) await collectGarbage();
    }
    for (const route of routes) assert.equal(table.get(`${route.set}`), route);
    await collectGarbage();
    for (let set = 0; set < 50_000; set++) table.add(`again ${set}`, { set });
    assert.ok(table.size < COUNT / 2, `${table.size} sets`);
    for (const route of routes) assert.equal(table.get(`${route.set}`), route);
  });

  it("holds what came last, though no route has it yet", async () => {
    const table = new AttributeTable<{ readonly set: number }>();
    for (let set = 0; set < 1000; set++) table.add(`${set}`, { set });
    await collectGarbage();
    for (let set = 0; set < 1000; set++) assert.equal(table.get(`${set}`)?.set, set);
  });

  it("holds few of those that are large", async () => {
    const table = new AttributeTable<{ readonly set: number }>();
    const key = (set: number) => `${set}${"x".repeat(15_000)}`;
    for (let set = 0; set < 9000; set++) {
      table.add(key(set), { set });
      if (set % 1000 === 0) await collectGarbage();
    }
    assert.ok(table.size < 6000, `${table.size} sets`);
    assert.equal(table.get(key(8999))?.set, 8999);
  });
});
