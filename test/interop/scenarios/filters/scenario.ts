/**
 * A BGPFilter between us and the program: its operations and rejections are seen by the program, what it makes
 * of the program's routes by us; another filter changes the running session by what differs, and nothing else.
 */

import assert from "node:assert/strict";
import { localPrefOf } from "../../../../src/agent/peering/filter-rules.ts";
import { Filters } from "../../../../src/agent/peering/filters.ts";
import type { PeerConfig } from "../../../../src/bgp/index.ts";
import type { BGPFilter } from "../../../../src/model/index.ts";
import { type Ends, OUR_AS, type Scenario } from "../../scenario.ts";

type Spec = BGPFilter["spec"];

/** As the agent makes policies of it. */
function policies(spec: Spec): Pick<PeerConfig, "importPolicy" | "exportPolicy"> {
  const apiVersion = "projectcalico.org/v3";
  const filter: BGPFilter = { apiVersion, kind: "BGPFilter", metadata: { name: "f" }, spec };
  const problems: string[] = [];
  const made = new Filters({ filters: [filter], hostRoutes: [], problems });
  const named = { apiVersion, kind: "BGPPeer", metadata: { name: "p" }, spec: { filters: ["f"] } };
  const { imported, exported } = made.of({ ...named, kind: "BGPPeer" }, 4);
  assert.deepEqual(problems, []);
  return { importPolicy: imported, exportPolicy: exported };
}

const marked = "10.1.0.0/26";
const kept = "10.1.1.0/24";
/** Each would be told in a message of its own. */
const plain = [1, 2, 3].map((n) => ({ prefix: `10.1.2.${n}/32`, communities: [`64512:${n}`] }));
const plainPrefixes = plain.map(({ prefix }) => prefix);
const preferred = { prefix: "10.2.0.0/26", communities: ["65001:1"] };
const unwanted = "10.2.9.0/24";
const other = "10.2.1.0/24";

const first: Spec = {
  exportV4: [
    {
      cidr: "10.1.0.0/24",
      matchOperator: "In",
      action: "Accept",
      operations: [
        { addCommunity: { value: "65000:100" } },
        { addCommunity: { value: "4200000000:1:2" } },
        { prependASPath: { prefix: [64999, 64998] } },
        { setPriority: { value: 512 } },
      ],
    },
    { cidr: kept, matchOperator: "Equal", action: "Reject" },
  ],
  importV4: [
    {
      communities: { values: ["65001:1"] },
      action: "Accept",
      operations: [{ setPriority: { value: 100 } }, { addCommunity: { value: "65000:7" } }],
    },
    { cidr: "10.2.8.0/21", matchOperator: "In", prefixLength: { max: 24 }, action: "Reject" },
  ],
};

/** What was rejected is told, what was marked is rejected, the plain ones stay as they are. */
const second: Spec = {
  exportV4: [{ cidr: "10.1.0.0/24", matchOperator: "In", action: "Reject" }],
  importV4: [{ cidr: other, matchOperator: "NotEqual", action: "Reject" }],
};

export const scenario: Scenario = {
  title: "communities, AS paths, priorities and rejections of BGPFilters, changed under a session",
  variants: { eBGP: {}, iBGP: { theirAs: OUR_AS } },
  async run(stage, variant) {
    const internal = variant.theirAs === OUR_AS;
    const ends: Ends = {
      ...variant,
      ourRoutes: [marked, kept, ...plain],
      theirRoutes: [preferred, unwanted, other],
    };
    await stage.start({ ...ends, ours: policies(first) });
    const before = await stage.untilWeHave([preferred.prefix, other]);
    assert.deepEqual(
      before.routes.map(({ prefix, communities, localPref }) => ({
        prefix,
        communities,
        localPref,
      })),
      [
        { ...preferred, communities: ["65000:7", "65001:1"], localPref: localPrefOf(100) },
        { prefix: other, communities: [], localPref: 100 },
      ],
    );
    const told = new Map(
      (await stage.untilTheyHave([marked, ...plainPrefixes])).map((route) => [route.prefix, route]),
    );
    const own = internal ? [] : [OUR_AS];
    assert.partialDeepStrictEqual(told.get(marked), {
      asPath: [64999, 64998, ...own],
      communities: ["65000:100"],
      largeCommunities: ["4200000000:1:2"],
      ...(internal && { localPref: localPrefOf(512) }),
    });
    for (const route of plain) {
      assert.partialDeepStrictEqual(told.get(route.prefix), { ...route, asPath: own });
    }

    const said = await stage.theirSession();
    stage.configure({ ...ends, ours: policies(second) });
    await stage.untilTheyHave([kept, ...plainPrefixes]);
    const after = await stage.untilWeHave([other]);
    assert.equal(after.peers[0]?.sinceMs, before.peers[0]?.sinceMs, "the session is the same");
    const { updatesReceived } = await stage.theirSession();
    // One that takes back and one that tells.
    const updates = updatesReceived - said.updatesReceived;
    assert.ok(updates <= 2, `${updates} updates: what has not changed is not told again`);
  },
};
