/**
 * Every way to the kernel fails once in every way: the other objects are applied nevertheless, no route that
 * worked is lost, the failure is told in the kernel's words, and when the fault is gone the plan holds exactly.
 * The matrix is generated: the kinds of operations are those that a change without faults is seen to use.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { KernelDataplane } from "../../src/dataplane/kernel-dataplane.ts";
import { contractPlan, NODES, planFor } from "../../src/dataplane/plan-sketch.test-suite.ts";
import type { Actual } from "../../src/dataplane/types.ts";
import { errorText } from "../../src/lib/index.ts";
import { namespacePath } from "../../src/lib/sys/index.ts";
import type { NodePlan } from "../../src/plan/index.ts";
import { inside, lines, Namespaces, obstacleToKernelTests } from "./dataplane-support.ts";
import { type Fault, faultyDataplane, type Verdict } from "./faulty-dataplane.ts";

const skip = obstacleToKernelTests();
const ERRNOS = ["ENOBUFS", "EINTR", "EBUSY", "ENODEV"] as const;
/** `fewer`: VXLAN with another MTU, towards one node instead of two. */
type Mode = "ipip" | "vxlan" | "none" | "fewer";
const changes: readonly (readonly [Mode, Mode])[] = [
  ["ipip", "vxlan"],
  ["vxlan", "fewer"],
  ["fewer", "ipip"],
];
/** Reached in every mode. */
const KEPT = NODES[1]!.block;

function planOf(mode: Mode): NodePlan {
  if (mode !== "fewer") return contractPlan(mode);
  const [local, remote] = NODES;
  const plan = planFor({
    local: local!,
    remotes: [remote!],
    receive: ["vxlan"],
    send: () => "vxlan",
  });
  return { ...plan, vxlan: { ...plan.vxlan!, mtu: 1400 } };
}

describe("faults", skip === undefined ? {} : { skip }, () => {
  const namespaces = new Namespaces();
  let name: string;
  let dataplane: KernelDataplane;
  let fault: Fault = () => undefined;

  before(() => {
    name = namespaces.make("faults");
    inside(
      name,
      `ip link add eth0 type veth peer name wire; ip link set wire up; ip link set eth0 up
       ip address add 172.139.20.75/24 dev eth0; ip route add default via 172.139.20.1`,
    );
    dataplane = faultyDataplane(namespacePath(name), (kind) => fault(kind));
  });
  after(async () => {
    await dataplane.close();
    namespaces.close();
  });

  /** Brings the kernel to this mode without faults. */
  async function settle(mode: Mode): Promise<void> {
    fault = () => undefined;
    let actual: Actual | undefined;
    for (let round = 0; round < 3 && actual?.failures.length !== 0; round++) {
      actual = await dataplane.apply(planOf(mode));
    }
    assert.deepEqual(actual?.failures, []);
    assert.equal((await dataplane.apply(planOf(mode))).changes, 0);
    assert.deepEqual((await dataplane.compare(planOf(mode))).differences, []);
  }

  const tables = () =>
    lines(
      inside(
        name,
        "ip route; ip -o link show | sed -E 's/^[0-9]+: //' | grep -v -e wire -e eth0; nft -s list ruleset",
      ),
    )
      .filter((line) => !line.includes("comment"))
      .map((line) => line.replace(/link\/.*/, ""));

  /** The kinds of operations of a change, in order of their first use. */
  async function kindsOf(from: Mode, to: Mode): Promise<string[]> {
    await settle(from);
    const kinds = new Set<string>();
    fault = (kind) => {
      kinds.add(kind);
      return undefined;
    };
    await dataplane.apply(planOf(to));
    return [...kinds];
  }

  /** One apply under this fault; what it complained about. */
  async function applyUnder(mode: Mode, faulty: Fault): Promise<string[]> {
    fault = faulty;
    try {
      const { failures } = await dataplane.apply(planOf(mode));
      return failures.map(({ object, message }) => `${object}: ${message}`);
    } catch (error) {
      // The kernel could not be read: nothing was decided.
      return [errorText(error)];
    }
  }

  for (const [from, to] of changes) {
    it(`${from} to ${to}: each operation is refused, or its answer lost, by each errno`, async (context) => {
      const kinds = await kindsOf(from, to);
      assert.ok(kinds.length >= 8, kinds.join(", "));
      await settle(to);
      const goal = tables();
      let told = 0;
      let rows = 0;
      for (const kind of kinds) {
        for (const errno of ERRNOS) {
          // Lost answers come as one errno only: the socket's buffer was full.
          for (const how of errno === "ENOBUFS"
            ? (["refuse", "lose"] as const)
            : ["refuse" as const]) {
            const row = `${kind} ${how} ${errno}`;
            await settle(from);
            let met = 0;
            const verdict: Verdict = { kind: how, errno };
            const complaints = await applyUnder(to, (one) => {
              if (one !== kind) return undefined;
              met++;
              return verdict;
            });
            rows++;
            if (met > 0 && complaints.some((line) => line.includes(errno))) told++;
            assert.ok(met > 0, `${row}: not met`);
            assert.ok(complaints.length > 0, `${row}: not told`);
            const routes = inside(name, "ip route");
            assert.ok(
              routes.includes(KEPT),
              `${row}: lost ${KEPT}
${routes}`,
            );
            // A second time, on what the first has left.
            await applyUnder(to, (one) => (one === kind ? verdict : undefined));
            await settle(to);
            assert.deepEqual(tables(), goal, row);
          }
        }
      }
      context.diagnostic(
        `${kinds.length} kinds, ${rows} faults, ${told} told in the kernel's words: ${kinds.join(", ")}`,
      );
      assert.equal(told, rows);
    });
  }

  it("an interface that vanishes before any operation is made again, and everything on it", async (context) => {
    let rows = 0;
    for (const [from, to] of changes.slice(0, 2)) {
      const kinds = await kindsOf(from, to);
      await settle(to);
      const goal = tables();
      for (const kind of kinds) {
        for (const device of ["vxlan.calico", "tunl0"]) {
          await settle(from);
          let gone = false;
          await applyUnder(to, (one) => {
            if (one === kind && !gone) {
              gone = true;
              inside(name, `ip link delete ${device} 2>/dev/null || true`);
            }
            return undefined;
          });
          rows++;
          await settle(to);
          assert.deepEqual(tables(), goal, `${from} to ${to}: ${device} vanished before ${kind}`);
        }
      }
    }
    context.diagnostic(`${rows} disappearances`);
  });
});
