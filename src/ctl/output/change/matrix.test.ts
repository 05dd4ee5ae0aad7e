import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ModeEvidenceStatus, ProofResult } from "../../../model/index.ts";
import {
  changeOf,
  evidenceOf,
  factsOf,
  goodResult,
  provedCluster,
} from "../../testing/change-facts.ts";
import { type PairState, provedPairs, renderMatrix } from "./matrix.ts";

const texts = (facts: Parameters<typeof renderMatrix>[0], columns = 80) =>
  renderMatrix(facts, columns).map(({ text }) => text);

describe("a pair of the proof", () => {
  const heard = evidenceOf({ proved: "full", heard: ["node1"] });
  const deaf = evidenceOf({ proved: "full", heard: [] });
  const bare = (result: Partial<ProofResult>): ProofResult => ({
    node: "node2",
    encapsulation: "none",
    ...result,
  });
  const cases: [name: string, result: ProofResult, receiver: ModeEvidenceStatus, PairState][] = [
    ["that passed", goodResult("node2"), heard, "good"],
    ["that could not send", goodResult("node2", { error: "ENETUNREACH" }), heard, "error"],
    ["not heard", goodResult("node2", { first: { sent: 3 } }), deaf, "first"],
    ["heard", goodResult("node2", { first: { sent: 3 } }), heard, "good"],
    ["whose first packet was the other's", goodResult("node2"), deaf, "good"],
    ["not heard yet", bare({ first: { sent: 3 } }), evidenceOf({}), "waiting"],
    ["without answer", goodResult("node2", { both: { sent: 10, received: 0 } }), heard, "both"],
    ["with few answers", goodResult("node2", { both: { sent: 10, received: 9 } }), heard, "loss"],
    [
      "too narrow",
      goodResult("node2", { full: { bytes: 1480, arrived: false, oneMore: "lost" } }),
      heard,
      "size",
    ],
    [
      "without TCP",
      goodResult("node2", { tcp: { bytes: 9, completed: false, tookUs: 0, stallUs: 0 } }),
      heard,
      "tcp",
    ],
    [
      "that loses",
      goodResult("node2", { loss: { sent: 9, received: 8, rttP50Us: 1, rttP99Us: 1 } }),
      heard,
      "loss",
    ],
  ];
  for (const [name, result, receiver, state] of cases) {
    test(name, () => {
      const evidence = new Map([
        ["node1", evidenceOf({ proved: "full", results: [result] })],
        ["node2", receiver],
      ]);
      assert.deepEqual(
        provedPairs(factsOf(changeOf({}), { evidence })).map((pair) => pair.state),
        [state],
      );
    });
  }
});

describe("the matrix", () => {
  test("of a cluster that was proved", () => {
    const facts = factsOf(changeOf({}), provedCluster(3));
    assert.deepEqual(texts(facts), [
      "          1 2 3",
      " 1 node1  - + +",
      " 2 node2  + - +",
      " 3 node3  + + -",
      "rows send, columns receive; + every packet went as it should",
      "6 pairs of nodes: 6 good, 0 failed",
    ]);
  });

  test("names what failed, and explains only the marks it uses", () => {
    const { nodes, evidence } = provedCluster(3);
    const full = { bytes: 1480, arrived: false, oneMore: "lost", largest: 1400 } as const;
    const narrow = evidenceOf({ proved: "full", results: [goodResult("node3", { full })] });
    const facts = factsOf(changeOf({}), {
      nodes,
      evidence: new Map(evidence).set("node1", narrow),
    });
    assert.deepEqual(texts(facts), [
      "          1 2 3",
      " 1 node1  - . M",
      " 2 node2  + - +",
      " 3 node3  + + -",
      "rows send, columns receive; + every packet went as it should; M full-size packets do not fit",
      "5 of 6 (a sample) pairs of nodes: 4 good, 1 failed",
      "  node1 -> node3: 1480 bytes did not arrive, 1400 did",
    ]);
  });

  test("of 64 nodes still fits 80 columns", () => {
    const lines = texts(factsOf(changeOf({}), provedCluster(64)));
    assert.equal(lines.length, 2 + 64 + 2);
    assert.equal(
      lines[0],
      `${" ".repeat(10)}         1         2         3         4         5         6    `,
    );
    assert.equal(
      lines[1]?.trim(),
      "123456789012345678901234567890123456789012345678901234567890" + "1234",
    );
    assert.equal(lines[2], ` 1 node1  -${"+".repeat(63)}`);
    assert.ok(lines.slice(0, 66).every((line) => line.length <= 80));
    assert.equal(lines.at(-1), "4032 pairs of nodes: 4032 good, 0 failed");
  });

  test("is left out where names are too long, or nodes too many, and the failures are still told", () => {
    const name = (index: number) =>
      `ip-10-0-0-${index}.very-long-zone-name.compute.internal.example`;
    const cases = [provedCluster(40, { name }), provedCluster(1000, { partners: 3 })];
    for (const cluster of cases) {
      const [first, second] = cluster.nodes;
      const result = goodResult(second!, { error: "Network is unreachable" });
      const bad = evidenceOf({ proved: "full", results: [result] });
      const evidence = new Map(cluster.evidence).set(first!, bad);
      const lines = texts(factsOf(changeOf({}), { nodes: cluster.nodes, evidence }));
      assert.equal(lines.length, 2);
      assert.match(lines[0]!, /^\d+ of \d+ \(a sample\) pairs of nodes: \d+ good, 1 failed$/);
      assert.equal(lines[1], `  ${first} -> ${second}: Network is unreachable`);
    }
  });

  test("of a broken fabric lists twenty pairs, and counts the rest", () => {
    const { nodes } = provedCluster(30);
    const evidence = nodes.map((node) => {
      const others = nodes.filter((other) => other !== node);
      const results = others.map((other) => goodResult(other, { both: { sent: 5, received: 0 } }));
      return [node, evidenceOf({ proved: "full", results })] as const;
    });
    const lines = texts(factsOf(changeOf({}), { nodes, evidence: new Map(evidence) }), 200);
    assert.equal(lines.at(-1)?.slice(0, 34), "  and 850 more, from node1, node2,");
    assert.equal(lines.filter((line) => line.endsWith("nothing came back")).length, 20 + 1);
  });

  test("is nothing before anybody has written", () => {
    assert.deepEqual(texts(factsOf(changeOf({}))), []);
  });
});
