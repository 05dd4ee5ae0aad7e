/** What is shown of a change, as a whole: golden texts. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ModeChange } from "../../../model/index.ts";
import {
  atSecond,
  changeOf,
  evidenceOf,
  factsOf,
  guardOf,
  key,
  nodeModeOf,
  provedCluster,
  startMs,
} from "../../testing/change-facts.ts";
import { changeDocument } from "./document.ts";
import { changeEvents } from "./events.ts";
import type { ChangeFacts } from "./facts.ts";
import { historyRows, renderHistory } from "./history.ts";
import { outcomeOf } from "./outcome.ts";
import { renderReport } from "./report.ts";
import { renderScreen } from "./screen.ts";
import { sparkline } from "./spark.ts";
import { durationText } from "./text.ts";

const history: NonNullable<ModeChange["status"]>["history"] = [
  { at: atSecond(0), phase: "Planning", message: "1 trap" },
  { at: atSecond(1), phase: "Proving", message: "3 nodes prove 6 pairs" },
  { at: atSecond(5), phase: "Widening", message: "" },
  { at: atSecond(6), phase: "Canary", message: "node1 moves" },
];
const running = changeOf({
  phase: "Canary",
  phaseSince: atSecond(6),
  driver: "node2",
  traps: [
    {
      code: "RP_FILTER_STRICT",
      severity: "warn",
      message: "strict reverse-path filter",
      nodes: ["node3"],
      remedy: "set it to 2",
    },
  ],
  verdicts: [
    {
      from: "10.0.1.0/24",
      to: "10.0.2.0/24",
      encapsulation: "none",
      pairs: 6,
      failed: 0,
      ok: true,
      message: "all packets arrived",
    },
  ],
  waves: [["node1"], ["node2", "node3"]],
  orders: { step: 5, widen: true, prove: "no", guard: true, moved: ["node1"], key },
  history,
});
const { nodes, evidence } = provedCluster(3);
const facts: ChangeFacts = factsOf(running, {
  nodes,
  evidence: new Map(evidence).set("node1", { ...evidence.get("node1")!, ...guardOf() }),
  nodeModes: new Map([
    ["node1", nodeModeOf({ "pods-1": { widened: true, moved: true } })],
    ["node2", nodeModeOf({ "pods-1": { widened: true, moved: false } })],
    ["node3", nodeModeOf(undefined)],
  ]),
});
const awaiting = changeOf({
  ...running.status!,
  phase: "AwaitingConfirm",
  confirmBy: atSecond(70),
  history: [...history, { at: atSecond(9), phase: "AwaitingConfirm", message: "" }],
});
const ended = (phase: "Done" | "Refused" | "RolledBack", status = {}, spec = {}): ModeChange =>
  changeOf(
    {
      ...running.status!,
      phase,
      orders: undefined,
      history: [...history, { at: atSecond(8), phase, message: "the end" }],
      ...status,
    },
    spec,
  );

const screen = (of: ChangeFacts, { columns = 80, rows = 40 } = {}) =>
  renderScreen(of, { columns, rows, unicode: true }).map(({ text }) => text);

describe("the screen", () => {
  test("of a change that has moved its canary", () => {
    assert.deepEqual(screen(facts), [
      "pods: ipip -> none   pods-1",
      "10 s, driven by node2",
      "* Planning        1.0 s       1 trap",
      "* Proving         4.0 s       3 nodes prove 6 pairs",
      "* Widening        1.0 s",
      "> Canary          4.0 s       1 of 3 nodes moved (1 ordered), 1 quiet, the canary",
      "  Rolling",
      "  Verifying",
      "  AwaitingConfirm",
      "  Narrowing",
      "live probes: 100 sent, 0 lost; round trip p50 0.21 ms, p99 0.90 ms; longest gap 12 ms",
      "  p99 by node  █",
      "warn RP_FILTER_STRICT: strict reverse-path filter",
      "    nodes: node3",
      "    remedy: set it to 2",
      "  node1 receives proof full  moved  quiet",
      "  node2 receives proof full  -      -",
      "  node3 -        proof full  -      -",
    ]);
  });

  test("of a low terminal shows what matters most", () => {
    for (const rows of [1, 5, 11, 14, 24]) {
      const lines = screen(facts, { rows });
      assert.ok(lines.length <= Math.max(10, rows - 1), `${lines.length} lines in ${rows} rows`);
      assert.equal(lines[0], "pods: ipip -> none   pods-1");
    }
  });

  test("of a thousand nodes has a letter for each", () => {
    const many = provedCluster(1000);
    const breach = { kind: "bgp", message: "a session went down" } as const;
    const hurt = {
      ...many.evidence.get("node7")!,
      ...guardOf({ quiet: false, breaches: [breach] }),
    };
    const lines = screen(
      { ...facts, ...many, evidence: new Map(many.evidence).set("node7", hurt) },
      { rows: 50 },
    );
    assert.ok(lines.length < 50);
    assert.ok(lines.some((line) => line.includes("1 of 1000 nodes moved")));
    const first = lines.indexOf(`  Mppppp!${"p".repeat(71)}`);
    assert.ok(first > 0, lines.join("\n"));
    assert.equal(lines.slice(first, -1).join("").replaceAll(" ", "").length, 1000);
    assert.equal(lines.at(-1), "  a letter per node: p proved; M moved; ! breach");
  });

  test("of a thousand nodes on a small terminal counts them", () => {
    const lines = screen({ ...facts, ...provedCluster(1000) }, { rows: 24 });
    assert.ok(lines.length < 24);
    assert.ok(lines.some((line) => line.includes("1 of 1000 nodes moved")));
  });

  test("says until when it waits, and how to answer", () => {
    assert.deepEqual(screen({ ...facts, change: awaiting }).slice(-3), [
      `It goes back by itself at ${atSecond(70)} (in 1 min) unless it is confirmed.`,
      "    switchyard mode confirm pods-1",
      "    switchyard mode rollback pods-1",
    ]);
  });

  test("of a change that nobody has taken up", () => {
    assert.deepEqual(screen(factsOf(changeOf(undefined))).slice(0, 4), [
      "pods: ? -> none   pods-1",
      "10 s, nobody drives yet",
      "  Planning",
      "  Proving",
    ]);
  });
});

describe("events", () => {
  const first = factsOf(changeOf({ phase: "Planning", history: history.slice(0, 1) }));

  test("are what is new, each once", () => {
    assert.deepEqual(changeEvents(undefined, first), ["pods-1: Planning: 1 trap"]);
    const later = [
      "pods-1: Proving: 3 nodes prove 6 pairs",
      "pods-1: trap warn RP_FILTER_STRICT: strict reverse-path filter; nodes: node3; remedy: set it to 2",
      "pods-1: Widening",
      "pods-1: verdict good 10.0.1.0/24 -> 10.0.2.0/24 (none, 6 pairs): all packets arrived",
      "pods-1: Canary: node1 moves",
    ];
    assert.deepEqual(changeEvents(first, facts), later);
    assert.deepEqual(changeEvents(undefined, facts), ["pods-1: Planning: 1 trap", ...later]);
    assert.deepEqual(changeEvents(facts, facts), []);
  });

  test("are the same lines in the same order, however often one looks", () => {
    const { status } = running;
    const looks = history.map((_, index) => {
      const { traps, verdicts, ...rest } = { ...status!, history: history.slice(0, index + 1) };
      const found = { ...(index >= 1 && { traps }), ...(index >= 2 && { verdicts }) };
      return factsOf({ ...running, status: { ...rest, ...found } });
    });
    const lines = looks.flatMap((look, index) => changeEvents(looks[index - 1], look));
    assert.deepEqual(lines, changeEvents(undefined, looks.at(-1)!));
  });

  test("tell of breaches, words of the operator, and what needs attention", () => {
    const breach = { kind: "probe-loss", node: "node3", message: "3 of 100 lost" } as const;
    const hurt = evidenceOf(guardOf({ quiet: false, breaches: [breach] }));
    const change = {
      ...running,
      spec: { ...running.spec, paused: true, rollback: true },
      status: { ...running.status!, attention: ["node3 does\n\u001b[31manswer"] },
    };
    const after = { ...facts, change, evidence: new Map([["node2", hurt]]) };
    assert.deepEqual(changeEvents(facts, after), [
      "pods-1: breach probe-loss at node2 towards node3: 3 of 100 lost",
      "pods-1: paused: no further node moves",
      "pods-1: rollback asked for",
      "pods-1: attention: node3 does [31manswer",
    ]);
    assert.deepEqual(changeEvents(after, { ...after, change: running }), ["pods-1: resumed"]);
  });
});

describe("the outcome", () => {
  const refusing = {
    code: "NO_MASK",
    severity: "refuse",
    message: "",
    nodes: [],
    remedy: "",
  } as const;
  const against = { ...running.status!.verdicts![0]!, ok: false, failed: 1 };
  const cases: [name: string, ModeChange, result: string, exitStatus: number, sentence: RegExp][] =
    [
      ["running", running, "running", 0, /^Canary: pods: ipip -> none, 10 s so far$/],
      ["waiting", awaiting, "awaiting-confirm", 0, /it waits to be confirmed$/],
      [
        "done",
        ended("Done"),
        "done",
        0,
        /^done: pods: ipip -> none in 8.0 s, 0 of 100 live probes lost$/,
      ],
      ["done, but", ended("Done", { attention: ["x"] }), "done", 5, /^done/],
      [
        "proved",
        ended("Done", {}, { proveOnly: true }),
        "proved",
        0,
        /^proved: .*nothing was changed$/,
      ],
      [
        "a proof without pairs",
        ended("Done", { verdicts: [] }, { proveOnly: true }),
        "proved",
        0,
        /^nothing to prove: .*nothing was changed$/,
      ],
      [
        "not proved",
        ended("Done", { verdicts: [against] }, { proveOnly: true }),
        "refused",
        3,
        /1 of 1 verdicts are against it$/,
      ],
      [
        "refused by a trap",
        ended("Refused", { reason: "traps", traps: [refusing] }),
        "refused",
        3,
        /^refused: pods: ipip -> none: traps$/,
      ],
      [
        "rolled back",
        ended("RolledBack", { reason: "not confirmed in time" }),
        "rolled-back",
        4,
        /^rolled back: pods: ipip -> none after 8.0 s, .*: not confirmed in time$/,
      ],
      [
        "rolled back, but",
        ended("RolledBack", { attention: ["x"] }),
        "rolled-back",
        5,
        /^rolled back/,
      ],
    ];
  for (const [name, change, result, exitStatus, sentence] of cases) {
    test(name, () => {
      const outcome = outcomeOf({ ...facts, change });
      assert.equal(outcome.result, result);
      assert.equal(outcome.exitStatus, exitStatus);
      assert.match(outcome.sentence, sentence);
    });
  }
});

test("the report tells everything", () => {
  const change = ended("RolledBack", { reason: "node2: probe-loss" }, { canary: 1, seed: 7 });
  const lines = renderReport({ ...facts, change }, { columns: 100, unicode: false });
  assert.deepEqual(
    lines.map(({ text }) => text),
    [
      "pods-1",
      "  pods: ipip -> none",
      "  canary 1, seed 7",
      `  asked for by root@host at ${atSecond(0)}`,
      "  last driven by node2",
      "",
      "Phases",
      `  ${atSecond(0)}  Planning        1.0 s        1 trap`,
      `  ${atSecond(1)}  Proving         4.0 s        3 nodes prove 6 pairs`,
      `  ${atSecond(5)}  Widening        1.0 s`,
      `  ${atSecond(6)}  Canary          2.0 s        node1 moves`,
      `  ${atSecond(8)}  RolledBack                   the end`,
      "",
      "Traps",
      "  warn RP_FILTER_STRICT: strict reverse-path filter",
      "      nodes: node3",
      "      remedy: set it to 2",
      "",
      "Proof",
      "            1 2 3",
      "   1 node1  - + +",
      "   2 node2  + - +",
      "   3 node3  + + -",
      "  rows send, columns receive; + passes",
      "  6 pairs of nodes: 6 good, 0 failed",
      "  good 10.0.1.0/24 -> 10.0.2.0/24 (none, 6 pairs): all packets arrived",
      "",
      "Waves",
      "  canary: node1",
      "  1: node2, node3",
      "",
      "Guard",
      "  live probes: 100 sent, 0 lost; round trip p50 0.21 ms, p99 0.90 ms; longest gap 12 ms",
      "    p99 by node  #",
      "",
      "Outcome",
      "  RolledBack after 8.0 s",
      "  reason: node2: probe-loss",
    ],
  );
});

test("the document keeps its fields", () => {
  const document = changeDocument({ ...facts, change: ended("Done") });
  assert.deepEqual(Object.keys(document), [
    ...[
      "id",
      "pool",
      "from",
      "to",
      "result",
      "exitStatus",
      "phase",
      "spec",
      "startedAt",
      "endedAt",
    ],
    ...["durationMs", "confirmBy", "reason", "attention", "driver", "phases", "traps", "verdicts"],
    ...["proof", "waves", "guard", "nodes"],
  ]);
  const fieldsOf = (value: unknown) => Object.keys(value as object);
  assert.deepEqual(fieldsOf(document.proof), ["pairs", "failed", "failures", "results"]);
  assert.deepEqual(fieldsOf(document.guard), ["probes", "counters", "breaches"]);
  assert.deepEqual(fieldsOf((document.phases as unknown[])[0]), [
    "phase",
    "at",
    "durationMs",
    "messages",
  ]);
  assert.deepEqual(
    [...fieldsOf((document.nodes as unknown[])[0])],
    ["node", "widened", "proved", "ordered", "moved", "obeys", "quiet", "problems"],
  );
  assert.deepEqual(JSON.parse(JSON.stringify(document)), document, "nothing is lost on the way");
  // The key authenticates probes: a document that is mailed around must not hold it.
  assert.ok(!JSON.stringify(changeDocument(facts)).includes(key));
});

test("the history is in the order in which changes were asked for", () => {
  const patch = changeOf({ phase: "Done", from: "vxlan" }, { requestedBy: "patch", to: "ipip" });
  const later = { ...patch, metadata: { name: "pods-2", creationTimestamp: atSecond(50) } };
  const seen = evidenceOf(guardOf());
  const rows = historyRows({
    changes: [later, ended("Done")],
    evidence: [
      {
        apiVersion: "switchyard.io/v1",
        kind: "ModeEvidence",
        metadata: { name: "pods-1.node1" },
        spec: { change: "pods-1", node: "node1" },
        status: seen,
      },
    ],
    nowMs: startMs + 60_000,
  });
  assert.deepEqual(
    renderHistory(rows)
      .trimEnd()
      .split("\n")
      .map((line) => line.trimEnd().split(/ {2,}/)),
    [
      ["ID", "POOL", "FROM", "TO", "RESULT", "STARTED", "TOOK", "LOST", "BY"],
      ["pods-1", "pods", "ipip", "none", "Done", atSecond(0), "8.0 s", "none", "root@host"],
      ["pods-2", "pods", "vxlan", "ipip", "Done", atSecond(50), "10 s", "-", "patch"],
    ],
  );
});

test("bars", () => {
  const cases: [values: number[], width: number, unicode: boolean, text: string][] = [
    [[], 8, true, ""],
    [[0, 0], 8, true, "▁▁"],
    [[1, 4, 8], 8, true, "▂▅█"],
    [[1, 4, 8], 8, false, ".=#"],
    [[1, 8, 1, 1], 2, true, "█▂"],
    [[5], 0, true, "█"],
  ];
  for (const [values, width, unicode, text] of cases) {
    assert.equal(sparkline(values, { width, unicode }), text, values.join(" "));
  }
});

test("durations", () => {
  const cases: [ms: number, text: string][] = [
    [-5, "0.0 s"],
    [440, "0.4 s"],
    [9_960, "10 s"],
    [59_400, "59 s"],
    [60_000, "1 min"],
    [200_000, "3 min 20 s"],
    [7_500_000, "2 h 5 min"],
  ];
  for (const [ms, text] of cases) assert.equal(durationText(ms), text);
});
