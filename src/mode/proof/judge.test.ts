import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type {
  Encapsulation,
  ModeChange,
  ModeEvidence,
  ModeName,
  Node,
  NodeHost,
  NodeMode,
  ProofResult,
  Verdict,
} from "../../model/index.ts";
import { judgeProof, probePairs, proofMatrix } from "../index.ts";

const A = "172.139.20.0/24";
const B = "172.139.30.0/24";

/** Two subnets of three nodes: a1 to a3, b1 to b3. */
const sixNodes = ["a1", "a2", "a3", "b1", "b2", "b3"];
const subnetOf = (node: string) => (node.startsWith("a") ? A : B);
const addressOf = (node: string) =>
  subnetOf(node).replace(".0/24", `.${10 + Number(node.slice(1))}/24`);

type Way = (from: string, to: string) => boolean;

/** What a fabric does to packets; everything passes unless told. */
interface Fabric {
  /** Of a flow that has seen nothing from the other side. */
  readonly fresh?: Way;
  /** Of a flow whose other side has sent; what `fresh` says unless told. */
  readonly established?: Way;
  readonly result?: (from: string, to: string) => Partial<ProofResult>;
  /** What a prover finds where its requests are not answered. */
  readonly unanswered?: () => Partial<ProofResult>;
}

interface Case {
  readonly nodes?: readonly string[];
  readonly to?: ModeName;
  readonly fabric?: Fabric;
  readonly evidence?: (evidence: readonly ModeEvidence[]) => ModeEvidence[];
  readonly hosts?: readonly NodeHost[];
  readonly seed?: number;
}

const name = "change-1";

function inputOf(one: Case) {
  const { nodes = sixNodes, to = "ipip", fabric = {}, evidence, hosts, seed = 3 } = one;
  const made = evidenceOf(nodes, to, { ...fabric, seed });
  return {
    change: {
      apiVersion: "switchyard.io/v1",
      kind: "ModeChange",
      metadata: { name },
      spec: { pool: "default", to, seed },
    } as ModeChange,
    nodes: nodes.map(
      (node) =>
        ({
          apiVersion: "projectcalico.org/v3",
          kind: "Node",
          metadata: { name: node },
          spec: { bgp: { ipv4Address: addressOf(node) } },
        }) as Node,
    ),
    nodeModes: nodes.map(
      (node) =>
        ({
          metadata: { name: node },
          spec: {},
          status: { probeAddress: `10.244.0.${nodes.indexOf(node) + 1}` },
        }) as unknown as NodeMode,
    ),
    evidence: evidence ? evidence(made) : made,
    ...(hosts && { hosts }),
  };
}

/** What a prover writes over such a fabric. */
function evidenceOf(
  nodes: readonly string[],
  to: ModeName,
  fabric: Fabric & { readonly seed: number },
): ModeEvidence[] {
  const { seed, fresh = () => true, established = fresh, result, unanswered } = fabric;
  const { pairs } = probePairs({
    nodes: nodes.map((node) => ({ name: node, subnet: subnetOf(node) })),
    seed,
  });
  const worn: Encapsulation = to.startsWith("ipip") ? "ipip" : to === "none" ? "none" : "vxlan";
  // Only protocol 4 has no ports: a packet of one side makes the other side's an answer.
  const portless = worn === "ipip";
  const sendsFirst = (leads: boolean) => leads || !portless;
  const opened = (from: string, other: string) => portless && fresh(from, other);
  const requestPasses = (from: string, other: string) =>
    fresh(from, other) || (opened(other, from) && established(from, other));
  return nodes.map((node): ModeEvidence => {
    const own = pairs.filter(({ from }) => from === node);
    const others = pairs.filter((pair) => pair.to === node);
    return {
      apiVersion: "switchyard.io/v1",
      kind: "ModeEvidence",
      metadata: { name: `${name}.${node}` },
      spec: { change: name, node },
      status: {
        ready: true,
        problems: [],
        proved: "full",
        results: own.map((pair): ProofResult => {
          const asked = requestPasses(node, pair.to);
          const answered = asked && (fresh(pair.to, node) || established(pair.to, node));
          return {
            node: pair.to,
            encapsulation: worn,
            ...(sendsFirst(pair.leads) && { first: { sent: 3 } }),
            both: { sent: 5, received: answered ? 5 : 0 },
            ...(!answered && unanswered?.()),
            ...(answered && {
              full: { bytes: 1480, arrived: true, oneMore: "refused" },
              tcp: { bytes: 1 << 20, completed: true, tookUs: 9000, stallUs: 300 },
              loss: { sent: 1000, received: 1000, rttP50Us: 100, rttP99Us: 400 },
              ...result?.(node, pair.to),
            }),
          };
        }),
        heard: others.filter((p) => sendsFirst(p.leads) && fresh(p.from, node)).map((p) => p.from),
        reached: others.filter((p) => requestPasses(p.from, node)).map((p) => p.from),
        updatedAt: "2026-01-01T00:00:00Z",
      },
    };
  });
}

const judge = (one: Case) => judgeProof(inputOf(one));
const between = (verdicts: readonly Verdict[], from: string, to: string) => {
  const found = verdicts.find((verdict) => verdict.from === from && verdict.to === to);
  assert.ok(found, `${from} to ${to} has a verdict`);
  return found;
};
const fromBtoA: Way = (from, to) => from.startsWith("b") && to.startsWith("a");
const strictHost = (node: string) =>
  ({
    metadata: { name: node },
    spec: {},
    status: { rpFilter: { all: 1, tunl0: 1 } },
  }) as unknown as NodeHost;

/** Each cause: what is wrong with the network, and how the verdict from B to A names it. */
const causes: readonly (Case & { readonly cause: string; readonly says: RegExp })[] = [
  {
    cause: "stateful filter",
    fabric: { fresh: (...way) => !fromBtoA(...way), established: () => true },
    says: /^protocol 4 \(IP-in-IP\) is dropped one way: a stateful filter; (\d+) of \1 first packets lost, replies pass$/,
  },
  {
    cause: "stateful filter, plain packets",
    to: "none",
    fabric: { fresh: (...way) => !fromBtoA(...way), established: () => true },
    says: /^packets between pod addresses without encapsulation are dropped one way: a stateful filter; 27 of 27/,
  },
  {
    cause: "one direction",
    to: "vxlan",
    fabric: { fresh: (...way) => !fromBtoA(...way) },
    says: /^UDP 4789 \(VXLAN\) is dropped this way, the other way passes/,
  },
  {
    cause: "protocol 4 dropped",
    fabric: { fresh: (from, to) => subnetOf(from) === subnetOf(to) },
    says: /^protocol 4 \(IP-in-IP\) is dropped both ways: a firewall or cloud that lets only TCP, UDP and ICMP pass drops it$/,
  },
  {
    cause: "UDP 4789 dropped",
    to: "vxlan",
    fabric: { fresh: (from, to) => subnetOf(from) === subnetOf(to) },
    says: /^UDP 4789 \(VXLAN\) is dropped both ways: a firewall or cloud drops it$/,
  },
  {
    cause: "source check at a router",
    to: "none",
    fabric: { fresh: (from, to) => subnetOf(from) === subnetOf(to) },
    says: /dropped both ways: packets with pod addresses as source are dropped \(source check\), the router or cloud/,
  },
  {
    cause: "small MTU",
    fabric: {
      result: () => ({ full: { bytes: 1480, arrived: false, oneMore: "lost", largest: 1430 } }),
    },
    says: /^full-size packets do not pass: largest 1,430 of 1,480 \(something between has a smaller MTU\)$/,
  },
  {
    cause: "checksum offload",
    fabric: {
      result: () => ({
        tcp: {
          ...{ bytes: 1 << 20, completed: false, tookUs: 5_000_000, stallUs: 5_000_000 },
          software: { sent: 16, received: 16 },
        },
      }),
    },
    says: /^TCP stalls though UDP passes: segments checksummed by software pass, offloaded ones do not: checksum offload$/,
  },
  {
    cause: "checksum offload, of UDP as well",
    fabric: {
      fresh: (from, to) => subnetOf(from) === subnetOf(to),
      unanswered: () => ({
        tcp: {
          ...{ bytes: 1 << 20, completed: false, tookUs: 4_000_000, stallUs: 4_000_000 },
          software: { sent: 16, received: 16 },
        },
      }),
    },
    says: /^packets checksummed by software pass, those .* do not: checksum offload$/,
  },
  {
    cause: "a filter for UDP",
    to: "none",
    fabric: {
      fresh: (from, to) => subnetOf(from) === subnetOf(to),
      unanswered: () => ({
        tcp: {
          ...{ bytes: 1 << 20, completed: true, tookUs: 4000, stallUs: 400 },
          software: { sent: 16, received: 16 },
        },
      }),
    },
    says: /^UDP does not pass though TCP does: a filter for UDP$/,
  },
  {
    cause: "TCP dropped",
    fabric: {
      result: () => ({
        tcp: {
          ...{ bytes: 1 << 20, completed: false, tookUs: 5_000_000, stallUs: 5_000_000 },
          software: { sent: 16, received: 0 },
        },
      }),
    },
    says: /^TCP does not pass though UDP does/,
  },
  {
    cause: "TCP stalls",
    fabric: {
      result: () => ({
        tcp: { bytes: 1 << 20, completed: true, tookUs: 5_000_000, stallUs: 2_500_000 },
      }),
    },
    says: /stands still for 2,500 ms/,
  },
  {
    cause: "loss",
    fabric: {
      result: () => ({ loss: { sent: 1000, received: 900, rttP50Us: 1, rttP99Us: 2 } }),
    },
    says: /^900 of 9,000 lost$/,
  },
  {
    cause: "refused by the kernel",
    fabric: { result: () => ({ error: "connect ENETUNREACH 10.244.0.4:17900" }) },
    says: /^packets cannot be sent: no route, .*ENETUNREACH/,
  },
  {
    cause: "an agent that is silent",
    evidence: (all) => all.filter(({ spec }) => spec.node !== "a2"),
    says: /^a2 has not reported$/,
  },
  {
    cause: "an agent that cannot prove",
    evidence: (all) =>
      all.map((one) =>
        one.spec.node === "a2" && one.status
          ? { ...one, status: { ...one.status, proved: "no", problems: ["no free address"] } }
          : one,
      ),
    says: /^a2 cannot prove: no free address$/,
  },
  {
    cause: "the firewall of one host",
    fabric: { fresh: (_, to) => to !== "a2" },
    says: /^only a2 does not receive: its own firewall$/,
  },
  {
    cause: "strict rp_filter of one host",
    fabric: { fresh: (_, to) => to !== "a2" },
    hosts: [strictHost("a2")],
    says: /^only a2 does not receive: strict rp_filter at a2, or its own firewall$/,
  },
  {
    cause: "a host of which nothing arrives",
    to: "vxlan",
    fabric: { fresh: (from) => from !== "b3" },
    says: /only what b3 sends does not arrive/,
  },
  {
    cause: "a pair of nodes",
    to: "vxlan",
    fabric: { fresh: (from, to) => !(from === "b1" && to === "a3") },
    says: /^UDP 4789 \(VXLAN\) is dropped this way, .* \(only b1 → a3\)$/,
  },
];

describe("verdicts", () => {
  for (const { cause, says, ...one } of causes) {
    test(`name the cause: ${cause}`, () => {
      const verdict = between(judge(one), B, A);
      assert.match(verdict.message, says);
      assert.equal(verdict.ok, false);
      assert.ok(verdict.failed > 0);
    });
  }

  test("are good where everything passes, and say how much was sent", () => {
    for (const to of ["ipip", "vxlan", "none"] as const) {
      const verdicts = judge({ to });
      assert.equal(verdicts.length, 4);
      assert.ok(verdicts.every(({ ok, failed }) => ok && failed === 0));
      const { message } = between(verdicts, A, B);
      assert.equal(message, "first packets, 1,480 bytes with DF, TCP and 9,000 packets, none lost");
    }
  });

  test("few lost packets are told, and no reason to refuse", () => {
    const loss = { sent: 1000, received: 997, rttP50Us: 1, rttP99Us: 2 };
    const { ok, message } = between(judge({ fabric: { result: () => ({ loss }) } }), A, B);
    assert.ok(ok);
    assert.match(message, /27 of 9,000 lost/);
  });

  test("other directions than the failing one are good", () => {
    const fabric = {
      fresh: (...way: Parameters<Way>) => !fromBtoA(...way),
      established: () => true,
    };
    const verdicts = judge({ fabric });
    for (const [from, to] of [
      [A, A],
      [A, B],
      [B, B],
    ] as const) {
      assert.equal(between(verdicts, from, to).ok, true, `${from} ${to}`);
    }
  });

  test("a filter between small subnets is not taken for the fault of a host, whoever was first", () => {
    const nodes = ["a1", "a2", "b1", "b2"];
    const fabric = {
      fresh: (...way: Parameters<Way>) => !fromBtoA(...way),
      established: () => true,
    };
    for (let seed = 0; seed < 50; seed++) {
      const { message } = between(judge({ nodes, fabric, seed }), B, A);
      assert.match(message, /^protocol 4 .* a stateful filter; 6 of 6 first packets lost/);
    }
  });

  test("a host is named in small subnets, too, where its neighbour does better", () => {
    const nodes = ["a1", "a2", "b1", "b2"];
    for (let seed = 0; seed < 50; seed++) {
      const verdicts = judge({ nodes, fabric: { fresh: (_, to) => to !== "a2" }, seed });
      const words = "only a2 does not receive: its own firewall";
      assert.equal(between(verdicts, B, A).message, words);
      assert.equal(between(verdicts, A, A).message, words);
    }
  });

  test("one pair of nodes: the direction that could not be first says so", () => {
    const verdicts = judge({ nodes: ["a1", "b1"] });
    const unclean = verdicts.filter(({ message }) => /tried only after/.test(message));
    assert.equal(verdicts.length, 2);
    assert.equal(unclean.length, 1);
    assert.ok(unclean[0]?.ok);
    assert.equal(
      judge({ nodes: ["a1", "b1"], to: "vxlan" }).filter(({ message }) =>
        /tried only/.test(message),
      ).length,
      0,
    );
  });

  test("modes that encapsulate across subnets only are judged as they send", () => {
    const evidence = () => [];
    const verdicts = judge({ to: "vxlan-cross-subnet", evidence });
    assert.equal(between(verdicts, A, A).encapsulation, "none");
    assert.equal(between(verdicts, A, B).encapsulation, "vxlan");
    assert.ok(verdicts.every(({ ok }) => !ok));
  });

  test("whatever is broken, every pair of subnets is there, and is good only if all its pairs are", () => {
    const broken = fc.array(
      fc.record({
        from: fc.constantFrom(...sixNodes),
        to: fc.constantFrom(...sixNodes),
        how: fc.constantFrom("fresh", "all", "mtu", "tcp", "loss", "error", "silent"),
      }),
      { maxLength: 6 },
    );
    const modes = fc.constantFrom<ModeName>("ipip", "vxlan", "none");
    fc.assert(
      fc.property(broken, modes, (faults, to) => {
        const hits = (from: string, other: string, ...how: string[]) =>
          faults.some((f) => f.from === from && f.to === other && how.includes(f.how));
        const input = inputOf({
          to,
          fabric: {
            fresh: (from, other) => !hits(from, other, "fresh", "all"),
            established: (from, other) => !hits(from, other, "all"),
            result: (from, other) => ({
              ...(hits(from, other, "mtu") && {
                full: { bytes: 1480, arrived: false, oneMore: "lost" },
              }),
              ...(hits(from, other, "tcp") && {
                tcp: { bytes: 1, completed: false, tookUs: 1, stallUs: 1 },
              }),
              ...(hits(from, other, "loss") && {
                loss: { sent: 1000, received: 10, rttP50Us: 1, rttP99Us: 1 },
              }),
              ...(hits(from, other, "error") && { error: "EPERM" }),
            }),
          },
          evidence: (all) =>
            all.filter(
              ({ spec }) => !faults.some((f) => f.how === "silent" && f.from === spec.node),
            ),
        });
        const verdicts = judgeProof(input);
        const { nodes, cells } = proofMatrix(input);
        assert.equal(verdicts.length, 4);
        for (const verdict of verdicts) {
          const { from, to: other, ok, failed, pairs, message } = verdict;
          assert.equal(ok, failed === 0);
          assert.ok(message.length > 0);
          const letters = nodes.flatMap((sender, row) =>
            nodes.flatMap((receiver, column) =>
              sender !== receiver && subnetOf(sender) === from && subnetOf(receiver) === other
                ? [cells[row]?.[column] ?? "missing"]
                : [],
            ),
          );
          assert.equal(letters.length, pairs);
          assert.equal(letters.filter((letter) => letter !== "+").length, failed);
        }
        // Whatever is broken between different nodes shows somewhere, if its packets were sent.
        const certain = faults.some(
          (f) => f.how === "silent" || (f.from !== f.to && f.how === "all"),
        );
        if (certain) assert.ok(verdicts.some(({ ok }) => !ok));
        if (faults.length === 0) assert.ok(verdicts.every(({ ok }) => ok));
      }),
    );
  });

  test("a change without a mode has none", () => {
    const input = inputOf({});
    const change = { ...input.change, spec: { mesh: "off" } } as ModeChange;
    assert.deepEqual(judgeProof({ ...input, change }), []);
  });
});

test("the matrix has a letter for each pair, and explains those it uses", () => {
  const { nodes, cells, legend } = proofMatrix(
    inputOf({ fabric: { fresh: (...way) => !fromBtoA(...way), established: () => true } }),
  );
  assert.deepEqual(nodes, sixNodes);
  assert.deepEqual(
    cells.map((row, index) => row[index]),
    [" ", " ", " ", " ", " ", " "],
  );
  assert.deepEqual(
    legend.map(({ letter }) => letter),
    ["+", "s"],
  );
});
