import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type PodMtuInput, type SaidMtu, stepPodMtu } from "./pod-mtu.ts";

const say = (sends: number, accepts = sends, host = 1500): SaidMtu => ({ host, sends, accepts });

function step(overrides: Partial<PodMtuInput> = {}) {
  const { limits, tell } = stepPodMtu({
    wanted: 1450,
    host: 1500,
    held: 1500,
    said: say(1500),
    others: [say(1500)],
    nowMs: 10_000,
    drainMs: 5000,
    quietSinceMs: undefined,
    ...overrides,
  });
  return { ...limits, tell };
}

describe("pod MTU, one step", () => {
  it("sends less at once, and takes as much as others may send", () => {
    assert.deepEqual(step(), { send: 1450, accept: 1500, tell: say(1450, 1500) });
  });

  it("takes less when nobody sends more, that is known, and what was sent has come", () => {
    const others = [say(1450, 1500)];
    assert.deepEqual(step({ others }), { send: 1450, accept: 1500, tell: say(1450) });
    assert.equal(step({ others, said: say(1450) }).accept, 1500, "packets may be on their way");
    const late = { others, said: say(1450), quietSinceMs: 5000 };
    assert.deepEqual(step(late), { send: 1450, accept: 1450, tell: say(1450) });
    assert.equal(step({ ...late, others: [say(1500)] }).accept, 1500, "somebody begins again");
  });

  it("takes more at once, and says that it may send more before it does", () => {
    const up = { wanted: 1500, held: 1450, said: say(1450), others: [say(1450)] };
    assert.deepEqual(step(up), { send: 1450, accept: 1500, tell: say(1500) });
    const told = { ...up, held: 1500, said: say(1500) };
    assert.equal(step(told).send, 1450, "the other takes 1450");
    assert.equal(step({ ...told, others: [say(1450, 1500)] }).send, 1500);
  });

  it("does nothing while it is not certain what others have been told, and promises little", () => {
    assert.deepEqual(step({ said: undefined, others: [say(1450)] }), { tell: say(1500, 1450) });
    assert.deepEqual(step({ said: undefined, held: 1450, wanted: 1500 }), {
      tell: say(1500, 1450),
    });
  });

  it("takes more for others although it sends less itself", () => {
    assert.deepEqual(step({ held: 1450, others: [say(1500, 1450)] }).accept, 1500);
  });

  it("does not wait for nodes whose network is smaller, nor take what its own cannot bring", () => {
    const jumbo = say(9000, 9000, 9000);
    const small = { wanted: 1500, held: 1500, others: [jumbo] };
    assert.deepEqual(step(small), { send: 1500, accept: 1500, tell: say(1500) });
    const large = { wanted: 9000, host: 9000, held: 9000, said: jumbo, others: [say(1500)] };
    assert.equal(step(large).send, 9000);
  });

  it("without pods, or alone, there is nothing to wait for", () => {
    assert.equal(step({ held: undefined, others: [] }).accept, 1450);
    const alone = { others: [], said: say(1450), quietSinceMs: 0 };
    assert.equal(step(alone).accept, 1450);
  });
});

/** Nodes that share a store, see it late, die at any step, and change their minds. */
class World {
  readonly log: SaidMtu[][];
  readonly nodes: {
    wanted: number;
    send: number;
    accept: number;
    /** Writes of the store that this node has seen. */
    seen: number;
    certain: boolean;
    quietSinceMs: number | undefined;
    pending: SaidMtu | undefined;
  }[];
  nowMs = 0;

  constructor(count: number) {
    this.log = [Array.from({ length: count }, () => say(1500))];
    this.nodes = Array.from({ length: count }, () => ({
      wanted: 1500,
      send: 1500,
      accept: 1500,
      seen: 0,
      certain: true,
      quietSinceMs: undefined,
      pending: undefined,
    }));
  }

  /** Reads, decides, changes the kernel; what it says then is still on its way. */
  begin(index: number): void {
    const node = this.nodes[index]!;
    if (node.pending) return;
    const view = this.log[node.seen]!;
    const { limits, tell, quietSinceMs } = stepPodMtu({
      wanted: node.wanted,
      host: 1500,
      held: node.accept,
      said: node.certain ? view[index] : undefined,
      others: view.filter((_, other) => other !== index),
      nowMs: this.nowMs,
      drainMs: 10,
      quietSinceMs: node.quietSinceMs,
    });
    Object.assign(node, { ...limits, quietSinceMs, pending: tell, certain: false });
  }

  finish(index: number): void {
    const node = this.nodes[index]!;
    if (!node.pending) return;
    const latest = [...this.log.at(-1)!];
    latest[index] = node.pending;
    this.log.push(latest);
    Object.assign(node, { pending: undefined, seen: this.log.length - 1, certain: true });
  }

  die(index: number): void {
    Object.assign(this.nodes[index]!, {
      pending: undefined,
      certain: false,
      quietSinceMs: undefined,
    });
  }

  check(): void {
    for (const [a, sender] of this.nodes.entries()) {
      assert.ok(sender.send <= sender.wanted, "more than the path carries");
      for (const [b, receiver] of this.nodes.entries()) {
        assert.ok(sender.send <= receiver.accept, `${a} sends ${sender.send} to ${b}`);
      }
    }
  }
}

describe("pod MTU, many nodes", () => {
  const act = fc.record({
    node: fc.nat(2),
    what: fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom("begin", "finish", "see", "see", "pass", "pass") },
      { weight: 1, arbitrary: fc.constantFrom("1450", "1480", "1500", "die", "time") },
    ),
  });

  it("nobody ever sends what another does not take, and all come to rest", () => {
    fc.assert(
      fc.property(
        fc.array(act, { minLength: 200, maxLength: 300, size: "max" }),
        fc.constantFrom(1450, 1480, 1500),
        (acts, end) => {
          const world = new World(3);
          for (const { node: index, what } of acts) {
            const node = world.nodes[index]!;
            if (what === "begin") world.begin(index);
            else if (what === "finish") world.finish(index);
            else if (what === "pass") {
              world.finish(index);
              node.seen = world.log.length - 1;
              world.begin(index);
              world.check();
              world.finish(index);
            } else if (what === "see") node.seen = Math.min(node.seen + 1, world.log.length - 1);
            else if (what === "die") world.die(index);
            else if (what === "time") world.nowMs += 20;
            else {
              // A mode that needs less is used only after the pods were limited.
              node.wanted = Number(what);
              node.send = Math.min(node.send, node.wanted);
            }
            world.check();
          }
          for (let round = 0; round < 10; round++) {
            for (const [index, node] of world.nodes.entries()) {
              node.wanted = end;
              node.send = Math.min(node.send, end);
              world.finish(index);
              node.seen = world.log.length - 1;
              world.begin(index);
              world.check();
              world.finish(index);
            }
            world.nowMs += 20;
          }
          for (const { send, accept } of world.nodes) assert.deepEqual([send, accept], [end, end]);
        },
      ),
      { numRuns: 400 },
    );
  });
});
