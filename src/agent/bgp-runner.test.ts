import assert from "node:assert/strict";
import { test } from "node:test";
import type { LearnedRoute, PeerConfig, PeerDetails, SpeakerConfig } from "../bgp/index.ts";
import { FakeClock, ipv4, prefix4 } from "../lib/index.ts";
import { silentLog } from "../lib/log/index.ts";
import { BgpRunner } from "./bgp-runner.ts";
import type { BgpPlan } from "./peering/index.ts";
import { FakeSpeaker } from "./testing.ts";

const config: SpeakerConfig = {
  localAs: 64512,
  routerId: ipv4("172.139.20.75"),
  listen: [{ port: 179 }],
  peers: [],
  originate: [],
};
const planOf = (changes: Partial<SpeakerConfig> = {}): BgpPlan => ({
  config: { ...config, ...changes },
  types: new Map([["Mesh_1", "node-to-node mesh"]]),
  mesh: { mode: "on", resourceVersion: "7", open: true, closed: [] },
  unprogrammed: [],
  usesHostRoutes: false,
  problems: [],
});

function bench() {
  const clock = new FakeClock();
  const speakers: FakeSpeaker[] = [];
  let changes = 0;
  const runner = new BgpRunner({
    clock,
    log: silentLog,
    changed: () => {
      changes++;
    },
    makeSpeaker: (config) => {
      const speaker = new FakeSpeaker(config);
      speakers.push(speaker);
      return speaker;
    },
  });
  return { clock, speakers, runner, changes: () => changes };
}

const route = (prefix: string, nextHop: string) =>
  ({ prefix: prefix4(prefix), nextHop: ipv4(nextHop) }) as unknown as LearnedRoute;

test("the same configuration again tells the speaker nothing", async () => {
  const { runner, speakers } = bench();
  await runner.configure(planOf());
  await runner.configure(planOf());
  assert.equal(speakers.length, 1);
  assert.equal(speakers[0]?.configured.length, 0);
  const originate = [{ prefix: prefix4("10.244.1.0/26") }];
  await runner.configure(planOf({ originate }));
  assert.deepEqual(speakers[0]?.configured, [{ ...config, originate }]);
});

test("another policy of one among peers that share theirs is told", async () => {
  const { runner, speakers } = bench();
  const told = () => speakers[0]?.configured.length;
  const rules = (med: number) => [{ action: "accept", set: { med } }] as const;
  const peers = (...policies: PeerConfig["exportPolicy"][]) =>
    planOf({
      peers: policies.map((exportPolicy = [], index) => ({
        ...{ name: `p${index}`, remoteAs: 65000, exportPolicy },
        address: ipv4(`192.0.2.${index + 1}`),
      })),
    });
  const shared = rules(1);
  await runner.configure(peers(shared, shared, shared));
  const again = rules(1);
  await runner.configure(peers(again, again, again));
  assert.equal(told(), 0);
  await runner.configure(peers(shared, rules(2), shared));
  assert.equal(told(), 1);
  await runner.configure(peers(shared, shared, rules(2)));
  assert.equal(told(), 2);
});

test("what is originated changes alone, and is neither told twice nor forgotten", async () => {
  const { runner, speakers } = bench();
  const originate = [{ prefix: prefix4("10.96.0.9/32") }];
  const change = { add: originate, remove: [] };
  runner.changeOriginated(change);
  await runner.configure(planOf());
  const [speaker] = speakers;
  const apart: unknown[] = [];
  speaker!.originate = (routes) => apart.push(routes);
  speaker!.changeOriginated = (one) => apart.push(one);
  runner.changeOriginated(change);
  await runner.configure(planOf({ originate }));
  await runner.configure(planOf({ originate }));
  await runner.configure(planOf());
  assert.deepEqual(apart, [change, originate, []]);
  assert.deepEqual(speaker?.configured, []);
  assert.deepEqual(runner.source()?.localAs, 64512);
});

test("what the speaker has refused is asked for again", async () => {
  const { runner, speakers } = bench();
  await runner.configure(planOf());
  const [speaker] = speakers;
  let asked = 0;
  speaker!.configure = () => {
    if (++asked === 1) throw new Error("refused");
  };
  const next = planOf({ listen: [{ port: 1790 }] });
  await assert.rejects(runner.configure(next), /refused/);
  await runner.configure(next);
  await runner.configure(next);
  assert.equal(asked, 2);
});

test("another port or address to listen at ends no session", async () => {
  const { runner, speakers } = bench();
  await runner.configure(planOf());
  const listen = [{ port: 1790, addresses: [ipv4("172.139.20.75")] }];
  await runner.configure(planOf({ listen }));
  assert.equal(speakers.length, 1);
  assert.deepEqual(speakers[0]?.configured, [{ ...config, listen }]);
});

test("a new identity restarts the speaker, with a word to the neighbours", async () => {
  const { runner, speakers } = bench();
  await runner.configure(planOf());
  speakers[0]?.teach([route("10.244.2.0/26", "172.139.20.76")]);
  assert.equal(runner.learned().length, 1);
  await runner.configure(planOf({ localAs: 64513 }));
  assert.equal(speakers.length, 2);
  assert.deepEqual(speakers[0]?.stopped, {
    notify: true,
    message: "the node's AS number or router id has changed",
  });
  assert.deepEqual(runner.learned(), [], "what the old identity learned is not the new one's");
});

test("a new identity has told nothing yet: what is not planned stays until it has", async () => {
  const { runner, speakers } = bench();
  await runner.configure(planOf());
  speakers[0]!.isConverged = true;
  assert.equal(runner.converged(), true);
  await runner.configure(planOf({ localAs: 64513 }));
  assert.equal(runner.converged(), false);
  speakers[1]!.isConverged = true;
  assert.equal(runner.converged(), true);
});

test("a datastore that was away for minutes does not count as time that BGP has had", async () => {
  const { runner, clock } = bench();
  await clock.advance(600_000);
  await runner.configure(undefined);
  await runner.configure(planOf());
  assert.equal(runner.converged(), false, "the routes of the routers would be removed");
  await clock.advance(119_000);
  assert.equal(runner.converged(), false);
  await clock.advance(2_000);
  assert.equal(runner.converged(), true, "a peer that never comes must not keep routes for ever");
});

test("a speaker that cannot start is tried again", async () => {
  const { runner, speakers } = bench();
  FakeSpeaker.refuseStart = "listen EADDRINUSE";
  await assert.rejects(runner.configure(planOf()), /EADDRINUSE/);
  FakeSpeaker.refuseStart = undefined;
  await runner.configure(planOf());
  assert.equal(speakers.length, 2);
  assert.deepEqual(runner.peers(), []);
});

test("learned routes follow what the speaker says has changed", async () => {
  const { runner, speakers, changes } = bench();
  await runner.configure(planOf());
  const speaker = speakers[0]!;
  speaker.teach([route("10.244.2.0/26", "172.139.20.76")]);
  assert.equal(changes(), 1);
  const expected = { prefix: prefix4("10.244.2.0/26"), nextHop: ipv4("172.139.20.76") };
  assert.deepEqual(runner.learned(), [expected]);
  assert.deepEqual(runner.learnedAt(expected.prefix), [expected]);
  assert.deepEqual(runner.learnedAt(prefix4("10.244.3.0/26")), []);
  speaker.teach([]);
  assert.deepEqual(runner.learned(), []);
});

test("of several equal paths all next hops are learned", async () => {
  const { runner, speakers } = bench();
  await runner.configure(planOf());
  const nextHops = ["172.139.20.1", "172.139.20.2"].map(ipv4);
  speakers[0]?.teach([{ ...route("198.51.100.0/24", "172.139.20.1"), nextHops }]);
  const expected = { prefix: prefix4("198.51.100.0/24"), nextHop: nextHops[0], nextHops };
  assert.deepEqual(runner.learned(), [expected]);
});

test("routes to service addresses are learned, but not for the kernel", async () => {
  const { runner, speakers } = bench();
  const unprogrammed = [prefix4("10.96.0.0/12")];
  await runner.configure({ ...planOf(), unprogrammed });
  const told = [
    route("10.96.0.0/12", "172.139.20.76"),
    route("10.96.0.9/32", "172.139.20.76"),
    route("10.0.0.0/8", "172.139.20.1"),
  ];
  speakers[0]?.teach(told);
  assert.deepEqual(runner.learned(), [told[2]]);
  assert.deepEqual(runner.learnedAt(prefix4("10.96.0.9/32")), []);
  assert.deepEqual(runner.learnedAt(prefix4("10.0.0.0/8")), [told[2]]);
  // Nor does the mesh have to stay for them.
  assert.deepEqual(runner.mesh()?.untold, [prefix4("10.0.0.0/8")]);
  await runner.configure(planOf());
  assert.equal(runner.learned().length, 3);
});

test("a peer's state is said in BIRD's words, with why it is down", async () => {
  const { runner, speakers } = bench();
  await runner.configure(planOf());
  const peer = { name: "Mesh_1", address: ipv4("172.139.20.76"), sinceMs: 0, ends: [] };
  const end = {
    ...{ atMs: 5000, firstMs: 1000, times: 3, by: "network", from: "Connect" },
    ...{ name: "no answer", reason: "no answer from 172.139.20.76 port 179" },
  } as const;
  speakers[0]!.peerList = [
    { ...peer, state: "Established", lastError: "old" } as unknown as PeerDetails,
    { ...peer, name: "other", state: "Active", lastError: "refused" } as unknown as PeerDetails,
    { ...peer, name: "other", state: "Active", ends: [end] } as unknown as PeerDetails,
  ];
  assert.deepEqual(
    runner.peers().map(({ type, state, up, info }) => [type, state, up, info]),
    [
      ["node-to-node mesh", "up", true, "Established"],
      ["global", "start", false, "Active refused"],
      ["global", "start", false, "Active no answer"],
    ],
  );
  assert.deepEqual(runner.peers()[2]?.history, [
    {
      ...{ at: "1970-01-01T00:00:05.000Z", first: "1970-01-01T00:00:01.000Z", times: 3 },
      ...{ by: "network", from: "Connect", name: "no answer", reason: end.reason },
    },
  ]);
});

test("what is wrong with the speaker itself is told beside what is wrong with resources", async () => {
  const { runner, speakers } = bench();
  assert.deepEqual(runner.problems, []);
  await runner.configure({ ...planOf(), problems: ["BGPPeer tor: bad peerIP x"] });
  speakers[0]!.troubles = ["not listening at every address port 1179"];
  assert.deepEqual(runner.problems, [
    "BGPPeer tor: bad peerIP x",
    "BGP: not listening at every address port 1179",
  ]);
});

test("sessions with pods are nobody's way to a node: others are not told of them", async () => {
  const { runner, speakers } = bench();
  const types = [
    ["mesh", "node-to-node mesh"],
    ["tor", "global"],
    ["pod", "local workload"],
  ] as const;
  await runner.configure({ ...planOf(), types: new Map(types) });
  speakers[0]!.peerList = types.map(([name], at) => {
    const address = ipv4(`192.0.2.${at + 1}`);
    return { name, address, state: "Active", sinceMs: 0, ends: [] } as unknown as PeerDetails;
  });
  const names = (list: readonly { readonly name: string }[] = []) => list.map(({ name }) => name);
  assert.deepEqual(names(runner.sessions()?.peers), ["mesh", "tor"]);
  assert.deepEqual(names(runner.mesh()?.mesh), ["mesh"]);
  assert.deepEqual(names(runner.mesh()?.outside), ["tor"]);
  assert.deepEqual(
    runner.peers().map(({ type }) => type),
    types.map(([, type]) => type),
  );
});
