import assert from "node:assert/strict";
import { test } from "node:test";
import type { ModeStatus } from "../../mode/index.ts";
import { renderModeStatus } from "./mode-status.ts";

const quiet: ModeStatus = {
  changes: [],
  pools: [{ name: "pods", cidr: "10.244.0.0/16", mode: "IPIPAlways", realisedBy: 1, behind: [] }],
  nodes: [],
  ways: {},
  subnets: [],
  drift: [],
  settled: true,
};

test("a change that waits is shown first, with when it goes back", () => {
  const goesBackAt = "2026-01-01T00:10:00.000Z";
  const [border, head, , change, , ...rest] = renderModeStatus(
    {
      ...quiet,
      changes: [
        {
          ...{ name: "c1", pool: "pods", from: "ipip", to: "none", phase: "AwaitingConfirm" },
          ...{ since: goesBackAt, moved: 0, driver: "node2", paused: true, goesBackAt },
        },
      ],
      settled: false,
    },
    Date.parse(goesBackAt) - 90_000,
  ).split("\n");
  assert.match(border!, /^\+-/);
  const cells = (line: string | undefined) => line?.split("|").map((cell) => cell.trim());
  assert.deepEqual(cells(head)?.slice(1, -1), [
    ...["CHANGE", "POOL", "FROM", "TO", "PHASE", "MOVED", "DRIVEN BY", "GOES BACK"],
  ]);
  assert.deepEqual(cells(change)?.slice(1, -1), [
    ...["c1", "pods", "ipip", "none", "AwaitingConfirm, paused", "0 of 0", "node2"],
    `${goesBackAt} (in 1 min 30 s)`,
  ]);
  assert.equal(rest.at(-2), "Every node has realised every pool; a change runs.");
});

test("drift is named; of many pairs of subnets the first are listed", () => {
  const subnets = Array.from({ length: 40 }, (_, index) => ({
    from: `10.0.${index}.0/24`,
    to: "10.1.0.0/24",
    wanted: { none: 1, ipip: 2 },
  }));
  const drift = [{ node: "node3", encapsulation: "vxlan", blocks: 3 }] as const;
  const text = renderModeStatus({ ...quiet, subnets, drift }, 0);
  assert.ok(text.includes("| 10.0.31.0/24 | 10.1.0.0/24 | none 1, ipip 2 |\n"), text);
  assert.ok(!text.includes("10.0.32.0/24"));
  assert.ok(text.includes("and 8 more pairs of subnets (-o json has them)\n"));
  assert.ok(
    text.includes(
      "Drift:\nnode3: sends vxlan to 3 blocks, which no pool and no change asks of it\n",
    ),
  );
});
