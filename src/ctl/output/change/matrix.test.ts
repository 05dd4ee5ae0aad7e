import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ProofResult } from "../../../model/index.ts";
import {
  changeOf,
  evidenceOf,
  factsOf,
  goodResult,
  provedCluster,
} from "../../testing/change-facts.ts";
import type { ChangeFacts } from "./facts.ts";
import { renderMatrix } from "./matrix.ts";

const texts = (facts: Partial<ChangeFacts>, columns = 80) =>
  renderMatrix(factsOf(changeOf({}), facts), columns).map(({ text }) => text);

type Cluster = Pick<ChangeFacts, "nodes" | "evidence">;

/** The same cluster, in which packets of `from` to `to` did otherwise. */
function spoilt(
  cluster: Cluster,
  way: readonly [number, number],
  result: Partial<ProofResult>,
): Cluster {
  const [from = "", to = ""] = way.map((index) => cluster.nodes[index]?.metadata.name);
  const before = cluster.evidence.get(from)!;
  const results = before.results.map((one) => (one.node === to ? { ...one, ...result } : one));
  return { ...cluster, evidence: new Map(cluster.evidence).set(from, { ...before, results }) };
}

describe("the matrix", () => {
  test("of a cluster that was proved", () => {
    assert.deepEqual(texts(provedCluster(3)), [
      "          1 2 3",
      " 1 node1  - + +",
      " 2 node2  + - +",
      " 3 node3  + + -",
      "rows send, columns receive; + passes",
      "6 pairs of nodes: 6 good, 0 failed",
    ]);
  });

  test("names what failed, and explains only the letters it uses", () => {
    const full = { bytes: 1480, arrived: false, oneMore: "lost", largest: 1400 } as const;
    const loss = { sent: 1000, received: 900, rttP50Us: 1, rttP99Us: 1 };
    const narrow = spoilt(provedCluster(3), [0, 2], { full });
    const cluster = spoilt(spoilt(narrow, [1, 0], { loss }), [2, 1], { error: "EPERM\u001b[2J" });
    assert.deepEqual(texts(cluster), [
      "          1 2 3",
      " 1 node1  - + m",
      " 2 node2  l - +",
      " 3 node3  + r -",
      "rows send, columns receive; + passes; r could not be sent; m full size does not pass; l too many lost",
      "6 pairs of nodes: 3 good, 3 failed",
      "  node1 -> node3: 1480 bytes did not arrive, 1400 did",
      "  node2 -> node1: 100 of 1000 lost",
      "  node3 -> node2: EPERM [2J",
    ]);
  });

  test("tells a node that has not finished from one that failed", () => {
    const cluster = provedCluster(2);
    const evidence = new Map(cluster.evidence).set("node2", evidenceOf({ proved: "first" }));
    assert.deepEqual(texts({ ...cluster, evidence }).slice(-1), [
      "2 pairs of nodes: 0 good, 0 failed, 2 not proved",
    ]);
  });

  test("leaves out a node that came after the proof", () => {
    const { nodes, evidence } = provedCluster(3);
    const late = new Map(evidence);
    late.delete("node3");
    const lines = texts({ nodes, evidence: late });
    assert.ok(lines.every((line) => !line.includes("node3")));
  });

  test("of 64 nodes still fits 80 columns", () => {
    const lines = texts(provedCluster(64));
    assert.equal(lines.length, 2 + 64 + 2);
    const digits = "1234567890".repeat(7).slice(0, 64);
    const tens = digits.replaceAll(/[1-9]/g, " ").replaceAll(/0/g, () => String(ten++));
    assert.equal(lines[0], `${" ".repeat(10)}${tens}`);
    assert.equal(lines[1], `${" ".repeat(10)}${digits}`);
    assert.equal(lines[2], ` 1 node1  -${"+".repeat(63)}`);
    assert.ok(lines.slice(0, 66).every((line) => line.length <= 80));
    assert.equal(lines.at(-1), "4032 pairs of nodes: 4032 good, 0 failed");
  });
  let ten = 1;

  test("is left out where names are too long, or nodes too many, and the failures are still told", () => {
    const name = (index: number) =>
      `ip-10-0-0-${index}.very-long-zone-name.compute.internal.example`;
    for (const good of [provedCluster(40, { name }), provedCluster(1000)]) {
      const [from = "", seen] = [...good.evidence][0] ?? [];
      const to = seen?.results[0]?.node ?? "";
      const way = [from, to].map((one) =>
        good.nodes.findIndex(({ metadata }) => metadata.name === one),
      );
      const cluster = spoilt(good, [way[0]!, way[1]!], { error: "Network is unreachable" });
      const lines = texts(cluster);
      assert.equal(lines.length, 2);
      assert.match(lines[0]!, /^\d+( of 999000 \(a sample\))? pairs of nodes: \d+ good, 1 failed$/);
      assert.equal(lines[1], `  ${from} -> ${to}: Network is unreachable`);
    }
  });

  test("of a broken fabric lists twenty pairs, and counts the rest", () => {
    const { nodes, evidence } = provedCluster(30);
    const broken = [...evidence].map(([node, { results }]) => {
      const unanswered = results.map(({ node: other }) => goodResult(other, { error: "EPERM" }));
      return [node, evidenceOf({ proved: "full", results: unanswered })] as const;
    });
    const lines = texts({ nodes, evidence: new Map(broken) }, 200);
    assert.match(lines.at(-1)!, /^ {2}and 850 more, from node\d+, .* more$/);
    assert.equal(lines.filter((line) => line.endsWith(": EPERM")).length, 20);
  });

  test("is nothing before anybody has written", () => {
    assert.deepEqual(texts({}), []);
  });
});
