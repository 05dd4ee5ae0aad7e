/** BGPFilters as policy: which routes a rule means, what it does to them, and what is said of bad ones. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type AskedRoute, askPolicy } from "../../bgp/testing/ask-policy.ts";
import { prefix } from "../../lib/index.ts";
import type { BGPFilter, BGPPeer } from "../../model/index.ts";
import type { HostRoute } from "../../plan/index.ts";
import { Filters } from "./filters.ts";

const filter = (name: string, spec: BGPFilter["spec"]): BGPFilter => ({
  apiVersion: "projectcalico.org/v3",
  kind: "BGPFilter",
  metadata: { name },
  spec,
});
const tor = (filters: string[]): BGPPeer => ({
  apiVersion: "projectcalico.org/v3",
  kind: "BGPPeer",
  metadata: { name: "tor" },
  spec: { peerIP: "192.0.2.1", filters },
});
const hostRoutes: HostRoute[] = [
  { destination: prefix("0.0.0.0/0"), device: "eth0" },
  { destination: prefix("192.0.2.0/24"), device: "eth1" },
];

function policies(filters: BGPFilter[], names = filters.map(({ metadata }) => metadata.name)) {
  const problems: string[] = [];
  const made = new Filters({ filters, hostRoutes, problems });
  return { made, problems, of: (family: 4 | 6 = 4) => made.of(tor(names), family) };
}

type Rule = NonNullable<BGPFilter["spec"]["exportV4"]>[number];
const reject = { action: "Reject" } as const;

describe("a rule means", () => {
  const net = "10.0.0.0/16";
  const own = { prefix: "10.0.0.0/16", source: "originated" } as const;
  const rows: [name: string, rule: Partial<Rule>, asked: AskedRoute, means: boolean][] = [
    ["everything", {}, own, true],
    ["Equal itself", { cidr: net, matchOperator: "Equal" }, own, true],
    ["Equal not inside", { cidr: net, matchOperator: "Equal" }, { prefix: "10.0.0.0/17" }, false],
    ["NotEqual not itself", { cidr: net, matchOperator: "NotEqual" }, own, false],
    ["NotEqual inside", { cidr: net, matchOperator: "NotEqual" }, { prefix: "10.0.0.0/17" }, true],
    ["In itself", { cidr: net, matchOperator: "In" }, own, true],
    ["In inside", { cidr: net, matchOperator: "In" }, { prefix: "10.0.9.0/32" }, true],
    ["In not around", { cidr: net, matchOperator: "In" }, { prefix: "10.0.0.0/15" }, false],
    ["NotIn around", { cidr: net, matchOperator: "NotIn" }, { prefix: "10.0.0.0/15" }, true],
    ["NotIn not inside", { cidr: net, matchOperator: "NotIn" }, { prefix: "10.0.9.0/32" }, false],
    ...(
      [
        [23, false],
        [24, true],
        [26, true],
        [27, false],
      ] as const
    ).flatMap(([length, inside]): typeof rows => {
      const lengths = { cidr: net, prefixLength: { min: 24, max: 26 } };
      const asked = { prefix: `10.0.0.0/${length}` };
      return [
        [`In, lengths, /${length}`, { ...lengths, matchOperator: "In" }, asked, inside],
        [`NotIn, lengths, /${length}`, { ...lengths, matchOperator: "NotIn" }, asked, !inside],
      ];
    }),
    [
      "In with a shortest length only",
      { cidr: net, matchOperator: "In", prefixLength: { min: 30 } },
      { prefix: "10.0.0.0/32" },
      true,
    ],
    [
      "Equal with lengths that are not its own: nothing",
      { cidr: net, matchOperator: "Equal", prefixLength: { min: 24 } },
      own,
      false,
    ],
    [
      "NotEqual with lengths that are not its own: everything",
      { cidr: net, matchOperator: "NotEqual", prefixLength: { min: 24 } },
      own,
      true,
    ],
    ["RemotePeers not the own", { source: "RemotePeers" }, own, false],
    ["RemotePeers the learned", { source: "RemotePeers" }, { ...own, source: "ibgp" }, true],
    ["eBGP an external peer", { peerType: "eBGP" }, own, true],
    ["iBGP no external peer", { peerType: "iBGP" }, own, false],
    [
      "a community",
      { communities: { values: ["65000:7"] } },
      { ...own, communities: [1, 65000 * 65536 + 7] },
      true,
    ],
    [
      "no large community by a standard one",
      { communities: { values: ["0:65000:7"] } },
      { ...own, communities: [65000 * 65536 + 7] },
      false,
    ],
    [
      "a large community",
      { communities: { values: ["4200000000:1:2"] } },
      { ...own, largeCommunity: [4_200_000_000, 1, 2] },
      true,
    ],
    ["a path's beginning", { asPathPrefix: [1, 2] }, { ...own, asPath: [1, 2, 3] }, true],
    ["no path's middle", { asPathPrefix: [2] }, { ...own, asPath: [1, 2, 3] }, false],
    ["a priority", { priority: 1024 }, { ...own, localPref: 2_147_482_623 }, true],
    ["no other priority", { priority: 512 }, { ...own, localPref: 2_147_482_623 }, false],
    ["a pod's interface", { interface: "cali*" }, { ...own, device: "cali12" }, true],
    ["no other interface", { interface: "cali*" }, { ...own, device: "eth0" }, false],
    ["no interface of a block, which has none", { interface: "*" }, own, false],
    [
      "the interface towards the next hop",
      { interface: "eth1" },
      { ...own, source: "ebgp", nextHop: "192.0.2.9" },
      true,
    ],
    [
      "not the interface of the default route, where there is a longer one",
      { interface: "eth0" },
      { ...own, source: "ebgp", nextHop: "192.0.2.9" },
      false,
    ],
    [
      "everything that is asked at once",
      { cidr: net, matchOperator: "In", source: "RemotePeers", asPathPrefix: [1] },
      { prefix: net, source: "ibgp", asPath: [2] },
      false,
    ],
  ];
  for (const [name, rule, asked, means] of rows) {
    test(name, () => {
      const { exported } = policies([filter("f", { exportV4: [{ ...rule, ...reject }] })]).of();
      assert.equal(askPolicy(exported, asked), means ? "rejected" : askPolicy([], asked));
    });
  }
});

describe("operations", () => {
  test("are done in their order", () => {
    const operations = [
      { prependASPath: { prefix: [1, 2] } },
      { addCommunity: { value: "65000:1" } },
      { setPriority: { value: 9 } },
      { prependASPath: { prefix: [3] } },
      { addCommunity: { value: "1:2:3" } },
      { addCommunity: { value: "0:5" } },
      { setPriority: { value: 512 } },
    ];
    const { exported } = policies([
      filter("f", { exportV4: [{ action: "Accept", operations }] }),
    ]).of();
    assert.equal(
      askPolicy(exported, { prefix: "10.0.0.0/8", asPath: [7], communities: [5] }),
      "accepted pref 2147483135 as 3 1 2 7 communities 0:5 65000:1 1:2:3",
    );
  });
});

describe("filters", () => {
  const accept = { action: "Accept" } as const;
  const six = { cidr: "fd00::/8", matchOperator: "In" } as const;
  const four = { cidr: "10.0.0.0/8", matchOperator: "In" } as const;

  test("are asked in the peer's order, the first that decides wins", () => {
    const all = [
      filter("a", { importV4: [{ ...four, ...reject }] }),
      filter("b", { importV4: [{ ...four, ...accept }, reject] }),
    ];
    const asked = { prefix: "10.0.0.0/24" };
    assert.equal(askPolicy(policies(all, ["a", "b"]).of().imported, asked), "rejected");
    assert.equal(askPolicy(policies(all, ["b", "a"]).of().imported, asked), "accepted");
    assert.equal(
      askPolicy(policies(all, ["a"]).of().imported, { prefix: "11.0.0.0/24" }),
      "accepted",
    );
  });

  test("have rules of their own for each family and direction", () => {
    const { of } = policies([
      filter("f", { importV4: [{ ...four, ...reject }], exportV6: [{ ...six, ...reject }] }),
    ]);
    assert.deepEqual(of(4).exported, []);
    assert.deepEqual(of(6).imported, []);
    assert.equal(askPolicy(of(4).imported, { prefix: "10.0.0.0/24" }), "rejected");
    assert.equal(askPolicy(of(6).exported, { prefix: "fd00::/64", nextHop: "::1" }), "rejected");
    assert.equal(of(4), of(4), "the identical policies for each session");
  });

  test("that are missing or bad are told and passed over, whole", () => {
    const all = [
      filter("bad", { importV4: [reject], exportV4: [reject, { ...reject, cidr: "10.0.0.0/33" }] }),
      filter("without", { importV4: [{}] }),
      filter("odd", { importV4: [{ ...reject, communities: { values: ["x"] } }] }),
      filter("good", { importV4: [{ ...four, ...reject }] }),
    ];
    const { of, problems } = policies(all, ["gone", "bad", "without", "odd", "good"]);
    const { imported, exported } = of();
    assert.deepEqual(exported, []);
    assert.equal(askPolicy(imported, { prefix: "10.0.0.0/24" }), "rejected");
    assert.equal(askPolicy(imported, { prefix: "11.0.0.0/24" }), "accepted");
    assert.deepEqual(problems, [
      "BGPPeer tor: filter gone is passed over: there is no such BGPFilter",
      "BGPPeer tor: filter bad is passed over: exportV4[1]: bad cidr 10.0.0.0/33",
      "BGPPeer tor: filter without is passed over: importV4[0]: bad action undefined",
      "BGPPeer tor: filter odd is passed over: importV4[0]: bad community x",
    ]);
    of(6);
    assert.equal(problems.length, 4, "each is said once");
  });

  test("depend on the host's routes only where they name interfaces", () => {
    const plain = policies([filter("f", { importV4: [reject] })]);
    plain.of();
    assert.equal(plain.made.usesInterfaces, false);
    const asking = policies([filter("f", { importV4: [{ ...reject, interface: "eth1" }] })]);
    const { imported } = asking.of();
    assert.equal(asking.made.usesInterfaces, true);
    assert.equal(askPolicy(imported, { prefix: "10.0.0.0/8", nextHop: "192.0.2.7" }), "rejected");
    assert.equal(askPolicy(imported, { prefix: "10.0.0.0/8", nextHop: "192.1.2.7" }), "accepted");
  });
});
