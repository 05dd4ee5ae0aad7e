/** What the speaker tells about its tables: why a route is not the best, what came in, what went out. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatAddress, formatPrefix, ipv4, prefix } from "../lib/index.ts";
import { announcement, multiprotocol, openMessage, talk } from "./testing/scripted-peer.ts";
import { A, B, C, pair, SECOND, World } from "./testing/simulated-world.ts";
import type { PeerConfig } from "./types.ts";
import type { ReceivedRoute, RoutePages, Verdict } from "./view-types.ts";
import { encodeKeepalive, type PathAttributes } from "./wire/index.ts";

const D = "10.0.0.4";
const E = "10.0.0.5";

/** A with the peers it is told of, each external of an AS of its own unless told. */
async function hub(peers: Readonly<Record<string, Partial<PeerConfig>>>): Promise<World> {
  const world = new World();
  const names = Object.keys(peers);
  const passive = Object.fromEntries(
    names.map((name) => [name, { passive: true, remoteAs: asOf(name), ...peers[name] }]),
  );
  await world.start(A, names, { peers: passive, originate: ["10.1.0.0/26"] });
  return world;
}

const asOf = (address: string) => 65000 + (ipv4(address) & 255);

async function tell(
  world: World,
  from: string,
  parts: Partial<PathAttributes> & { readonly as?: number; readonly routes?: readonly string[] },
) {
  const { as = asOf(from), routes = ["10.9.0.0/24"], ...attributes } = parts;
  const asPath = [{ kind: "sequence" as const, asns: [as, 1] }];
  return talk(
    world,
    [
      openMessage({ as, id: ipv4(from), capabilities: [multiprotocol] }),
      encodeKeepalive(),
      announcement(routes, { asPath, nextHop: ipv4(from), ...attributes }),
    ],
    from,
  );
}

function verdicts(world: World, of = "10.9.0.0/24"): Record<string, Verdict> {
  const { paths } = world.speakers.get(A)!.why(prefix(of));
  return Object.fromEntries(paths.map(({ route, verdict }) => [route.peer, verdict]));
}

function all<R>(pages: RoutePages<R>): R[] {
  return [...pages].flat();
}

const names = (routes: readonly { readonly prefix: Parameters<typeof formatPrefix>[0] }[]) =>
  routes.map((route) => formatPrefix(route.prefix));

describe("why", () => {
  it("names the best, and of each other the step and what it compared", async () => {
    const world = await hub({ [B]: {}, [C]: {}, [D]: {}, [E]: { remoteAs: 64512 } });
    await tell(world, B, {});
    await tell(world, C, { origin: "incomplete" });
    await tell(world, D, { asPath: [{ kind: "sequence", asns: [asOf(D), 1, 1] }] });
    await tell(world, E, { as: 64512, asPath: [{ kind: "sequence", asns: [7, 1] }] });
    assert.deepEqual(verdicts(world), {
      [B]: { kind: "best" },
      [C]: { kind: "lost", step: "origin", value: "incomplete", otherValue: "igp", to: B },
      [D]: { kind: "lost", step: "as-path-length", value: 3, otherValue: 2, to: B },
      [E]: { kind: "lost", step: "external", value: "ibgp", otherValue: "ebgp", to: B },
    });
    assert.equal(world.speakers.get(A)!.why(prefix("10.9.0.0/24")).paths[0]?.route.peer, B);
  });

  it("tells of paths that are no candidates, and which rule refused them", async () => {
    const reject = { prefixes: [{ prefix: prefix("10.9.0.0/24") }], action: "reject" } as const;
    const other = { prefixes: [{ prefix: prefix("10.8.0.0/24") }], action: "accept" } as const;
    const world = await hub({
      [B]: { importPolicy: [other, reject] },
      [C]: {},
      [D]: { remoteAs: 64512 },
      [E]: { role: "provider" },
    });
    await tell(world, B, {});
    await tell(world, C, { asPath: [{ kind: "sequence", asns: [asOf(C), 64512] }] });
    await tell(world, D, { as: 64512, asPath: [], originatorId: ipv4(A) });
    await tell(world, E, { onlyToCustomer: 7 });
    assert.deepEqual(verdicts(world), {
      [B]: { kind: "refused", refusal: "import-policy", rule: 1 },
      [C]: { kind: "refused", refusal: "as-loop" },
      [D]: { kind: "refused", refusal: "own-originator" },
      [E]: { kind: "refused", refusal: "role-leak" },
    });
    assert.deepEqual(world.routes(A), []);
  });

  it("tells what an import policy made of a candidate, and that the prefix is our own", async () => {
    const world = await hub({
      [B]: { importPolicy: [{ action: "accept", set: { localPref: 50 } }] },
      [C]: {},
    });
    await tell(world, B, { routes: ["10.1.0.0/26"] });
    await tell(world, C, { routes: ["10.1.0.0/26"] });
    const { originated, paths } = world.speakers.get(A)!.why(prefix("10.1.0.0/26"));
    assert.equal(originated, true);
    assert.deepEqual(
      paths.map(({ route, verdict }) => [route.peer, route.localPref, verdict.kind]),
      [
        [C, 100, "best"],
        [B, 50, "lost"],
      ],
    );
    const received = all(world.speakers.get(A)!.adjRibIn(B));
    assert.deepEqual(
      received.map(({ localPref, refused }) => [localPref, refused]),
      [[100, undefined]],
      "as it came, before the policy",
    );
    assert.deepEqual(world.speakers.get(A)!.why(prefix("10.7.0.0/24")).paths, []);
  });
});

describe("multipath", () => {
  it("tells all next hops of equal paths, and tells again when they change", async () => {
    const world = await hub({ [B]: {}, [C]: {}, [D]: {} });
    const asPath = [{ kind: "sequence" as const, asns: [7, 1] }];
    const speaker = world.speakers.get(A)!;
    const told: (readonly string[])[] = [];
    speaker.onRoutes((changes) => {
      for (const { best } of changes) told.push((best?.nextHops ?? []).map(formatAddress));
    });
    const multipath = (maximumPaths: number) => {
      const peers = Object.fromEntries(
        [B, C, D].map((name) => [name, { passive: true, remoteAs: asOf(name) }]),
      );
      speaker.configure({ ...world.config(A, [B, C, D], { peers }), multipath: { maximumPaths } });
      return world.advance(SECOND);
    };
    await multipath(2);
    await tell(world, B, { asPath });
    await tell(world, D, { asPath });
    assert.deepEqual(told, [[], [B, D]]);
    const c = await tell(world, C, { asPath });
    assert.deepEqual(told.at(-1), [B, C]);
    assert.deepEqual(
      Object.entries(verdicts(world)).map(([peer, { kind }]) => `${peer} ${kind}`),
      [`${B} best`, `${D} lost`, `${C} equal`],
    );
    const [best] = all(speaker.locRib({ prefix: prefix("10.9.0.0/24") }));
    assert.deepEqual(best?.nextHops?.map(formatAddress), [B, C]);
    await multipath(8);
    assert.deepEqual(told.at(-1), [B, C, D]);
    c.connection.destroy();
    await world.advance(SECOND);
    assert.deepEqual(told.at(-1), [B, D]);
    assert.equal(told.length, 5, "and not more often");
  });

  it("is checked", async () => {
    const world = await hub({});
    const config = { ...world.config(A, [], {}), multipath: { maximumPaths: 0 } };
    assert.throws(() => world.speakers.get(A)!.configure(config), /multipath.maximumPaths: 0/);
  });
});

describe("an import policy that changes", () => {
  it("is applied to what was told before, and the peer is asked for nothing", async () => {
    const world = await hub({ [B]: {} });
    const peer = await tell(world, B, { routes: ["10.9.0.0/24", "10.9.1.0/24"] });
    const reconfigure = (importPolicy: PeerConfig["importPolicy"]) => {
      const peers = { [B]: { passive: true, remoteAs: asOf(B), importPolicy: importPolicy! } };
      world.speakers.get(A)!.configure(world.config(A, [B], { peers }));
      return world.advance(SECOND);
    };
    const heard = peer.received.length;
    await reconfigure([{ prefixes: [{ prefix: prefix("10.9.1.0/24") }], action: "reject" }]);
    assert.deepEqual(world.routes(A), ["10.9.0.0/24"]);
    assert.deepEqual(
      all(world.speakers.get(A)!.adjRibIn(B)).map(({ refused }: ReceivedRoute) => refused),
      [undefined, "import-policy"],
    );
    await reconfigure([{ action: "accept", set: { localPref: 7 } }]);
    assert.deepEqual(
      world.speakers
        .get(A)!
        .routes()
        .map(({ localPref }) => localPref),
      [7, 7],
    );
    await reconfigure([]);
    assert.deepEqual(
      world.speakers
        .get(A)!
        .routes()
        .map(({ localPref }) => localPref),
      [100, 100],
    );
    const asked = peer.received.slice(heard).filter((words) => words.startsWith("REFRESH"));
    assert.deepEqual(asked, []);
    assert.equal(peer.isClosed(), false);
  });
});

describe("adjRibIn, adjRibOut and locRib", () => {
  it("find one prefix, those inside it, and those around it", async () => {
    const world = await hub({ [B]: {} });
    const routes = ["0.0.0.0/0", "10.9.0.0/16", "10.9.0.0/24", "10.9.0.0/26", "10.10.0.0/16"];
    await tell(world, B, { routes });
    const speaker = world.speakers.get(A)!;
    const at = prefix("10.9.0.0/24");
    for (const view of [speaker.adjRibIn.bind(speaker, B), speaker.locRib.bind(speaker)]) {
      assert.deepEqual(names(all(view({ prefix: at }))), ["10.9.0.0/24"]);
      const within = names(all(view({ prefix: at, match: "within" })));
      assert.deepEqual(within, ["10.9.0.0/24", "10.9.0.0/26"]);
      const covering = names(all(view({ prefix: prefix("10.9.0.5/32"), match: "covering" })));
      assert.deepEqual(covering, ["10.9.0.0/26", "10.9.0.0/24", "10.9.0.0/16", "0.0.0.0/0"]);
      assert.equal(all(view()).length, routes.length);
    }
  });

  it("look at a thousand prefixes for each page, and may change between pages", async () => {
    const originate = Array.from({ length: 2500 }, (_, i) => `10.${64 + (i >> 8)}.${i & 255}.0/24`);
    const world = await pair({}, { originate });
    const speaker = world.speakers.get(A)!;
    const at = prefix("10.73.0.0/16");
    const sizes = [...speaker.adjRibIn(B, { prefix: at, match: "within" })].map((p) => p.length);
    assert.deepEqual(sizes, [0, 0, 196], "a filter does not make a page look further");
    const pages = speaker.adjRibIn(B);
    assert.equal(pages.next().value?.length, 1000);
    world.kill(B);
    await world.advance(SECOND);
    assert.equal(all(pages).length >= 1500, true, "kept through the restart");
    assert.equal(
      all(speaker.adjRibIn(B)).every(({ stale }) => stale),
      true,
    );
  });

  it("have pages of few routes where their attributes are long", async () => {
    const world = await hub({ [B]: {} });
    const routes = Array.from({ length: 500 }, (_, i) => `10.64.${i >> 1}.${(i & 1) * 128}/25`);
    await tell(world, B, { routes, communities: Array.from({ length: 300 }, (_, i) => i + 1) });
    const speaker = world.speakers.get(A)!;
    for (const pages of [[...speaker.adjRibIn(B)], [...speaker.locRib()]]) {
      assert.equal(pages.flat().length, 500);
      assert.ok(pages.every(({ length }) => length < 100));
      assert.ok(pages.length < 10);
    }
  });

  it("shows what a peer was told with its attributes", async () => {
    const world = await hub({
      [B]: {},
      [C]: { exportPolicy: [{ action: "accept", set: { med: 9 } }] },
    });
    const communities = [((65000 << 16) >>> 0) + 1];
    const sent = {
      communities,
      med: 3,
      onlyToCustomer: 7,
      largeCommunities: Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3),
    };
    await tell(world, B, sent);
    await talk(
      world,
      [openMessage({ as: asOf(C), id: ipv4(C), capabilities: [multiprotocol] }), encodeKeepalive()],
      C,
    );
    await world.advance(SECOND);
    const speaker = world.speakers.get(A)!;
    assert.deepEqual(all(speaker.adjRibOut(C, { prefix: prefix("10.9.0.0/24") })), [
      {
        prefix: prefix("10.9.0.0/24"),
        nextHop: ipv4(A),
        asPath: [64512, asOf(B), 1],
        origin: "igp",
        med: 9,
        communities,
        largeCommunities: [[1, 2, 3]],
        extendedCommunities: [],
        clusterList: [],
        onlyToCustomer: 7,
      },
    ]);
    assert.deepEqual(names(all(speaker.adjRibOut(B))), ["10.1.0.0/26"], "not told its own route");
    world.kill(A);
  });

  it("do not know peers that are not configured", async () => {
    const world = await hub({});
    assert.throws(() => world.speakers.get(A)!.adjRibIn("x"), /no BGP peer is named x/);
    assert.throws(() => world.speakers.get(A)!.adjRibOut("x"), /no BGP peer is named x/);
  });
});

describe("who is told", () => {
  it("names all peers, and what keeps the route back from each", async () => {
    const own = { prefixes: [{ prefix: prefix("10.1.0.0/16"), maximumLength: 32 }] };
    const world = await hub({
      [B]: {},
      [C]: { exportPolicy: [{ ...own, action: "reject" }] },
      [D]: { families: ["ipv6-unicast"] },
      [E]: {},
    });
    for (const from of [B, C]) await tell(world, from, {});
    const told = (of: string) =>
      Object.fromEntries(
        world.speakers
          .get(A)!
          .why(prefix(of))
          .told.map(({ peer, withheld }) => [peer, withheld ?? "told"]),
      );
    await world.advance(SECOND);
    assert.deepEqual(told("10.1.0.0/26"), {
      [B]: "told",
      [C]: { by: "export-policy", rule: 0 },
      [D]: { by: "no-session" },
      [E]: { by: "no-session" },
    });
    assert.deepEqual(told("10.9.0.0/24")[B], { by: "own" });
    assert.deepEqual(told("10.9.0.0/24")[C], "told");
    assert.deepEqual(told("10.7.0.0/24"), {});
  });

  it("agrees with what was told, whatever the route and the peer", async () => {
    const world = await hub({ [B]: {}, [C]: {}, [D]: {}, [E]: { remoteAs: 64512 } });
    await tell(world, B, {});
    await tell(world, C, { communities: [0xffffff01], routes: ["10.8.0.0/24"] });
    await tell(world, E, { as: 64512, asPath: [], routes: ["10.7.0.0/24"] });
    await world.advance(SECOND);
    const speaker = world.speakers.get(A)!;
    for (const each of ["10.1.0.0/26", "10.9.0.0/24", "10.8.0.0/24", "10.7.0.0/24"]) {
      const { told } = speaker.why(prefix(each));
      assert.equal(told.length, 4);
      for (const { peer, withheld } of told) {
        const sent = all(speaker.adjRibOut(peer, { prefix: prefix(each) })).length;
        assert.equal(sent, withheld === undefined ? 1 : 0, `${each} to ${peer}`);
      }
    }
  });
});
