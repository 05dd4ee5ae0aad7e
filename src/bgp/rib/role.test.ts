/** RFC 9234 section 5 as two tables: what is taken and what is told, by the role of this side. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ipv4 } from "../../lib/index.ts";
import type { Role } from "../types.ts";
import type { PathAttributes } from "../wire/index.ts";
import { takenByRole, toldByRole } from "./role.ts";

const US = 64512;
const THEM = 65000;
const OTHER = 65099;

function route(onlyToCustomer?: number): PathAttributes {
  const made = { origin: "igp", asPath: [], nextHop: ipv4("192.0.2.1") } as const;
  return onlyToCustomer === undefined ? made : { ...made, onlyToCustomer };
}

type Outcome = "leak" | "none" | "us" | "them" | "other";

function outcome(made: PathAttributes | undefined): Outcome {
  if (made === undefined) return "leak";
  const names = new Map<number | undefined, Outcome>([
    [undefined, "none"],
    [US, "us"],
    [THEM, "them"],
    [OTHER, "other"],
  ]);
  return names.get(made.onlyToCustomer)!;
}

const marks = [undefined, THEM, OTHER];
type Row = readonly [unmarked: Outcome, markedByThem: Outcome, markedByOther: Outcome];

describe("taken", () => {
  const rows: Record<Role, Row> = {
    // From a customer or a client, a marked route has been where it should not have.
    provider: ["none", "leak", "leak"],
    rs: ["none", "leak", "leak"],
    // From above, it is marked from now on.
    customer: ["them", "them", "other"],
    "rs-client": ["them", "them", "other"],
    // From beside, only by the peer itself.
    peer: ["them", "them", "leak"],
  };
  for (const [role, expected] of Object.entries(rows) as [Role, Row][]) {
    it(`as ${role}`, () => {
      const context = { role, peerType: "ebgp", remoteAs: THEM } as const;
      assert.deepEqual(
        marks.map((mark) => outcome(takenByRole(route(mark), context))),
        expected,
      );
    });
  }

  it("without a role, and inside an AS, as it is", () => {
    for (const role of [undefined, "provider"] as const) {
      const peerType = role === undefined ? "ebgp" : "ibgp";
      const made = marks.map((mark) =>
        takenByRole(route(mark), { role, peerType, remoteAs: THEM }),
      );
      assert.deepEqual(made.map(outcome), ["none", "them", "other"]);
    }
  });

  it("the same route twice is the identical object", () => {
    const context = { role: "customer", peerType: "ebgp", remoteAs: THEM } as const;
    const told = route();
    assert.equal(takenByRole(told, context), takenByRole(told, context));
  });
});

describe("told", () => {
  const rows: Record<Role, Row> = {
    provider: ["us", "them", "other"],
    rs: ["us", "them", "other"],
    customer: ["none", "leak", "leak"],
    "rs-client": ["none", "leak", "leak"],
    peer: ["us", "leak", "leak"],
  };
  for (const [role, expected] of Object.entries(rows) as [Role, Row][]) {
    it(`as ${role}`, () => {
      const context = { role, peerType: "ebgp", localAs: US } as const;
      assert.deepEqual(
        marks.map((mark) => outcome(toldByRole(route(mark), context))),
        expected,
      );
    });
  }

  it("without a role, and inside an AS, as it is", () => {
    for (const role of [undefined, "peer"] as const) {
      const peerType = role === undefined ? "ebgp" : "ibgp";
      const made = marks.map((mark) => toldByRole(route(mark), { role, peerType, localAs: US }));
      assert.deepEqual(made.map(outcome), ["none", "them", "other"]);
    }
  });
});
