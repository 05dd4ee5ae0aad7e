/**
 * GoBGP (Debian: `gobgpd`), asked and told through `gobgp` on a socket in a directory of its own.
 *
 * How it differs: routes cannot stand in its configuration, so neighbours are down until all are added, lest
 * its End-of-RIB comes before them. It knows no extended messages, no roles, and always offers AS numbers of
 * four octets. After a reset by hand it stays idle for 30 s, whatever its configuration says. It says that it has restarted only with `-r`.
 */

import { type Place, until } from "../place.ts";
import {
  FAMILIES,
  familyOf,
  type Program,
  type ProgramSetup,
  type RouteSeen,
  type RouteSetup,
  type RunningProgram,
  type SessionSetup,
} from "./program.ts";

function afiSafi(family: string, session: SessionSetup): string {
  const { addPath, restartSeconds, longLivedSeconds, maximumPrefixes } = session;
  const longLived = `[neighbors.afi-safis.long-lived-graceful-restart.config]
enabled = true
restart-time = ${longLivedSeconds}
`;
  const paths = "[neighbors.afi-safis.add-paths.config]\nreceive = true\nsend-max = 8\n";
  const limit = `[neighbors.afi-safis.prefix-limit.config]\nmax-prefixes = ${maximumPrefixes}`;
  return `[[neighbors.afi-safis]]
[neighbors.afi-safis.config]
afi-safi-name = "${family}"
[neighbors.afi-safis.mp-graceful-restart.config]
enabled = ${restartSeconds !== undefined}
${longLivedSeconds === undefined ? "" : longLived}${addPath ? paths : ""}${maximumPrefixes === undefined ? "" : limit}`;
}

/** A link-local one with its device, which the neighbour's says. */
function localAddress({ localAddress: address, neighbor }: SessionSetup): string {
  return address + neighbor.replace(/^[^%]*/, "");
}

function neighbor(session: SessionSetup): string {
  const { holdSeconds = 90, restartSeconds, ttlSecurityHops, ttl } = session;
  return `[[neighbors]]
[neighbors.config]
neighbor-address = "${session.neighbor}"
peer-as = ${session.neighborAs}
admin-down = true
${session.password === undefined ? "" : `auth-password = "${session.password}"`}
[neighbors.transport.config]
local-address = "${localAddress(session)}"
passive-mode = ${session.passive ?? false}
[neighbors.timers.config]
connect-retry = 1
idle-hold-time-after-reset = 1
hold-time = ${holdSeconds}
keepalive-interval = ${Math.max(1, Math.floor(holdSeconds / 3))}
${restartSeconds === undefined ? "" : `[neighbors.graceful-restart.config]\nenabled = true\nrestart-time = ${restartSeconds}\nnotification-enabled = true`}
${session.longLivedSeconds === undefined ? "" : "long-lived-enabled = true"}
${ttlSecurityHops === undefined ? "" : `[neighbors.ttl-security.config]\nenabled = true\nttl-min = ${256 - ttlSecurityHops}`}
${ttl === undefined ? "" : `[neighbors.ebgp-multihop.config]\nenabled = true\nmultihop-ttl = ${ttl}`}
${session.reflectorClient ? "[neighbors.route-reflector.config]\nroute-reflector-client = true" : ""}
${session.families.map((family) => afiSafi(family, session)).join("\n")}
`;
}

function configuration({ as, routerId, sessions }: ProgramSetup): string {
  const addresses = [
    ...new Set(sessions.map((each) => (each.neighbor.includes("%") ? "::" : each.localAddress))),
  ];
  return `[global.config]
as = ${as}
router-id = "${routerId}"
local-address-list = ${JSON.stringify(addresses)}
${sessions.map(neighbor).join("\n")}`;
}

interface Attribute {
  readonly type: number;
  readonly value?: unknown;
  readonly as_paths?: readonly { readonly asns: readonly number[] }[];
  readonly nexthop?: string;
  readonly communities?: readonly number[];
}

interface Path {
  readonly attrs: readonly Attribute[];
  readonly "neighbor-ip"?: string;
}

interface ExtendedCommunity {
  readonly subtype: number;
  readonly value: string;
}

interface LargeCommunity {
  readonly ASN: number;
  readonly LocalData1: number;
  readonly LocalData2: number;
}

/** Attributes are told apart by their numbers on the wire. */
function routeSeen(prefix: string, { attrs }: Path): RouteSeen {
  const of = (type: number) => attrs.find((each) => each.type === type);
  const large = (of(32)?.value ?? []) as readonly LargeCommunity[];
  const extended = (of(16)?.value ?? []) as readonly ExtendedCommunity[];
  return {
    prefix,
    nextHop: attrs.find(({ nexthop }) => nexthop !== undefined)?.nexthop ?? "",
    asPath: of(2)?.as_paths?.flatMap(({ asns }) => asns) ?? [],
    localPref: of(5)?.value as number | undefined,
    communities: (of(8)?.communities ?? []).map((each) => `${each >>> 16}:${each & 0xffff}`).sort(),
    largeCommunities: large
      .map(({ ASN, LocalData1, LocalData2 }) => `${ASN}:${LocalData1}:${LocalData2}`)
      .sort(),
    routeTargets: extended.filter(({ subtype }) => subtype === 2).map(({ value }) => value),
    originatorId: of(9)?.value as string | undefined,
    clusterList: (of(10)?.value ?? []) as readonly string[],
  };
}

interface Neighbor {
  readonly state: {
    readonly session_state?: number;
    readonly messages: Readonly<Record<"received" | "sent", { readonly update?: number }>>;
  };
  readonly timers: { readonly state?: { readonly negotiated_hold_time?: number } };
}

const ESTABLISHED = 6;
const HARD_RESET = "6/9";

/** Those received, as `CODE/SUBCODE` and the words with it; inside a Hard Reset (RFC 8538) the one meant. */
function notifications(log: string): string {
  const words: string[] = [];
  for (const line of log.split("\n")) {
    if (!line.includes('"received notification"') || !line.startsWith("{")) continue;
    const { Code, Subcode, Data = "" } = JSON.parse(line) as Record<string, number & string>;
    const data = Buffer.from(Data, "base64");
    const hard = `${Code}/${Subcode}` === HARD_RESET;
    const [code, subcode, rest] = hard
      ? [data[0], data[1], data.subarray(2)]
      : [Code, Subcode, data];
    // RFC 9003: the length of the text stands before it.
    words.push(`received ${code}/${subcode} ${rest.subarray(1)}`);
  }
  return words.join("\n");
}

class RunningGobgp implements RunningProgram {
  readonly #place: Place;
  readonly #setup: ProgramSetup;
  readonly #end: (signal: NodeJS.Signals) => Promise<void>;
  #routes: readonly RouteSetup[] = [];

  constructor(place: Place, setup: ProgramSetup, restarted: boolean) {
    this.#place = place;
    this.#setup = setup;
    const file = place.write("gobgpd.toml", configuration(setup));
    const api = ["--api-hosts", `unix://${place.path("socket")}`, "--pprof-disable"];
    const child = place.spawn(["gobgpd", "-f", file, ...api, ...(restarted ? ["-r"] : [])]);
    this.#end = (signal) => child.end(signal);
  }

  async ready(): Promise<void> {
    const { sessions, routes } = this.#setup;
    const [first] = sessions;
    await until("gobgpd's socket", () => this.#try("neighbor", first!.neighbor), {
      state: () => this.#place.log(),
    });
    await this.setRoutes(routes);
    for (const { neighbor: address } of sessions) await this.#gobgp("neighbor", address, "enable");
  }

  async routes(neighbor?: string): Promise<readonly RouteSeen[]> {
    const found: RouteSeen[] = [];
    for (const family of FAMILIES) {
      const text = await this.#gobgp("global", "rib", "-a", family, "-j");
      for (const [prefix, paths] of Object.entries(JSON.parse(text) as Record<string, Path[]>)) {
        for (const path of paths) {
          const from = path["neighbor-ip"];
          const wanted = neighbor === undefined ? from !== undefined : from === neighbor;
          if (wanted) found.push(routeSeen(prefix, path));
        }
      }
    }
    return found;
  }

  async session(neighbor: string) {
    const text = await this.#gobgp("neighbor", neighbor, "-j");
    const { state, timers } = JSON.parse(text) as Neighbor;
    return {
      established: state.session_state === ESTABLISHED,
      holdSeconds: timers.state?.negotiated_hold_time,
      updatesReceived: state.messages.received.update ?? 0,
      updatesSent: state.messages.sent.update ?? 0,
      // Why a session ended stands in its log alone.
      text: `${text}\n${notifications(this.#place.log())}`,
    };
  }

  async setRoutes(routes: readonly RouteSetup[]): Promise<void> {
    const name = ({ prefix, pathId }: RouteSetup) => `${prefix} ${pathId}`;
    const kept = new Set(routes.map(name));
    const known = new Set(this.#routes.map(name));
    for (const route of this.#routes) {
      if (!kept.has(name(route))) await this.#rib("del", route);
    }
    for (const route of routes) {
      if (known.has(name(route))) continue;
      const { nextHop, communities, largeCommunities, routeTargets } = route;
      const attributes: readonly (readonly [string, readonly string[] | undefined])[] = [
        ["nexthop", nextHop === undefined ? undefined : [nextHop]],
        ["community", communities],
        ["large-community", largeCommunities],
        ["rt", routeTargets],
      ];
      const words = attributes.flatMap(([word, values = []]) =>
        values.length > 0 ? [word, values.join(",")] : [],
      );
      await this.#rib("add", route, "origin", "igp", ...words);
    }
    this.#routes = routes;
  }

  async refresh(): Promise<void> {
    await this.#gobgp("neighbor", this.#setup.sessions[0]!.neighbor, "softresetin");
  }

  async reset(): Promise<void> {
    await this.#gobgp("neighbor", this.#setup.sessions[0]!.neighbor, "reset");
  }

  async stop(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    await this.#end(signal);
  }

  async #rib(what: "add" | "del", route: RouteSetup, ...words: readonly string[]): Promise<void> {
    const { prefix, pathId } = route;
    const id = pathId === undefined ? [] : ["identifier", String(pathId)];
    await this.#gobgp("global", "rib", what, "-a", familyOf(prefix), prefix, ...id, ...words);
  }

  async #gobgp(...words: readonly string[]): Promise<string> {
    return this.#place.run("gobgp", "--target", `unix://${this.#place.path("socket")}`, ...words);
  }

  async #try(...words: readonly string[]): Promise<string | undefined> {
    try {
      return await this.#gobgp(...words);
    } catch {
      return undefined;
    }
  }
}

export const gobgp: Program = {
  name: "GoBGP",
  command: ["gobgpd", "--version"],
  shutdownWords: /^received 6\/2 /m,
  lacks: {
    bfd: "GoBGP 3 has no BFD",
    forwards: "GoBGP sets the F bit of RFC 4724 only when it is started with -r",
    extendedMessages: "GoBGP 3 has no extended messages (RFC 8654)",
    manyRoutes: "GoBGP takes routes one by one through its API",
    plain: "GoBGP always offers its capabilities",
    roles: "GoBGP 3 has no roles (RFC 9234)",
    refreshes: "GoBGP keeps what it received and asks nobody again",
    twoOctetAs: "GoBGP always offers AS numbers of four octets",
  },
  async start(place, setup, restarted = false) {
    const running = new RunningGobgp(place, setup, restarted);
    await running.ready();
    return running;
  },
};
