/**
 * FRR's bgpd (Debian: `frr`) alone: without zebra (`-Z`), as root (`-S`), with its `vty` socket in a directory
 * of its own, where `vtysh` finds it.
 *
 * How it differs: it always says that it has restarted when it starts, and keeps forwarding (`preserve-fw-state`).
 * External sessions need policies unless told otherwise (RFC 8212). It always offers extended messages and to
 * receive additional paths. It tells
 * external peers their own routes again, which they refuse for their AS path.
 */

import { type Place, until } from "../place.ts";
import {
  FAMILIES,
  type Family,
  familyOf,
  type Program,
  type ProgramSetup,
  type RouteSeen,
  type RouteSetup,
  type RunningProgram,
  type SessionSetup,
} from "./program.ts";

function neighbor(session: SessionSetup): string {
  const { neighbor: address, neighborAs, holdSeconds = 90, ttlSecurityHops, ttl } = session;
  const { password, role, restartSeconds } = session;
  const lines = [
    `remote-as ${neighborAs}`,
    `update-source ${session.localAddress}`,
    `timers ${Math.max(1, Math.floor(holdSeconds / 3))} ${holdSeconds}`,
    "timers connect 1",
    restartSeconds === undefined ? "graceful-restart-disable" : "",
    session.passive ? "passive" : "",
    password === undefined ? "" : `password ${password}`,
    ttlSecurityHops === undefined ? "" : `ttl-security hops ${ttlSecurityHops}`,
    ttl === undefined ? "" : `ebgp-multihop ${ttl}`,
    session.extendedNextHop ? "capability extended-nexthop" : "",
    session.plain ? "dont-capability-negotiate" : "",
    role === undefined
      ? ""
      : `local-role ${role.replace("rs", "rs-server").replace("rs-server-client", "rs-client")} strict-mode`,
  ];
  return lines.flatMap((line) => (line === "" ? [] : ` neighbor ${address} ${line}`)).join("\n");
}

/** The next hop of routes whose family is not the session's; without zebra bgpd knows no address for it. */
function nextHopMap(family: Family, routes: readonly RouteSetup[]): string {
  const [via] = routes.flatMap(({ prefix, nextHop }) =>
    familyOf(prefix) === family && nextHop !== undefined ? [nextHop] : [],
  );
  if (via === undefined) return "";
  const set = family === "ipv4" ? "set ip next-hop" : "set ipv6 next-hop global";
  return `route-map via-${family} permit 1\n ${set} ${via}\nexit\n`;
}

function activation(family: Family, { sessions, routes }: ProgramSetup): string {
  const via = nextHopMap(family, routes) === "" ? "" : `route-map via-${family} out`;
  const lines = sessions
    .filter(({ families }) => families.includes(`${family}-unicast`))
    .flatMap(({ neighbor: address, addPath, reflectorClient, maximumPrefixes }) => [
      `  neighbor ${address} activate`,
      ...(via === "" ? [] : [`  neighbor ${address} ${via}`]),
      ...(addPath ? [`  neighbor ${address} addpath-tx-all-paths`] : []),
      ...(reflectorClient ? [`  neighbor ${address} route-reflector-client`] : []),
      ...(maximumPrefixes === undefined
        ? []
        : [`  neighbor ${address} maximum-prefix ${maximumPrefixes}`]),
    ]);
  return ` address-family ${family} unicast\n${lines.join("\n")}\n exit-address-family`;
}

/** A line may not be longer than some thousand characters. */
const COMMUNITIES_PER_LINE = 100;

/** What a route map sets, as many entries as it takes; the next hop is set per session. */
function routeMap(name: string, route: RouteSetup): string {
  const { communities = [], largeCommunities = [], routeTargets = [] } = route;
  const entries = [
    ...(largeCommunities.length > 0 ? [`set large-community ${largeCommunities.join(" ")}`] : []),
    ...(routeTargets.length > 0 ? [`set extcommunity rt ${routeTargets.join(" ")}`] : []),
  ];
  for (let at = 0; at < communities.length; at += COMMUNITIES_PER_LINE) {
    const some = communities.slice(at, at + COMMUNITIES_PER_LINE).join(" ");
    entries.push(`set community ${some} additive`);
  }
  return entries
    .map((set, index) => `route-map ${name} permit ${index + 1}\n ${set}\n on-match next\nexit\n`)
    .join("");
}

/** Commands that make `after` of `before`. */
function routeCommands(
  as: number,
  before: ReadonlyMap<string, RouteSetup>,
  after: ReadonlyMap<string, RouteSetup>,
): string {
  const maps: string[] = [];
  const networks: Record<Family, string[]> = { ipv4: [], ipv6: [] };
  for (const prefix of before.keys()) {
    if (!after.has(prefix)) networks[familyOf(prefix)].push(`no network ${prefix}`);
  }
  for (const [prefix, setup] of after) {
    if (before.has(prefix)) continue;
    const name = `for-${prefix.replaceAll(/[.:/]/g, "-")}`;
    const map = routeMap(name, setup);
    maps.push(map);
    networks[familyOf(prefix)].push(`network ${prefix}${map && ` route-map ${name}`}`);
  }
  const families = FAMILIES.map(
    (family) =>
      ` address-family ${family} unicast\n  ${networks[family].join("\n  ")}\n exit-address-family`,
  );
  return `${maps.join("")}router bgp ${as}\n${families.join("\n")}\n`;
}

const byPrefix = (routes: readonly RouteSetup[]) =>
  new Map(routes.map((route) => [route.prefix, route]));

function configuration(setup: ProgramSetup): string {
  const { as, routerId, sessions, routes } = setup;
  const restart = sessions[0]?.restartSeconds;
  const longLived = sessions[0]?.longLivedSeconds;
  const maps = FAMILIES.map((family) => nextHopMap(family, routes)).join("");
  return `${maps}router bgp ${as}
 bgp router-id ${routerId}
 no bgp ebgp-requires-policy
 no bgp network import-check
 no bgp default ipv4-unicast
${restart === undefined ? "" : ` bgp graceful-restart\n bgp graceful-restart restart-time ${restart}\n bgp graceful-restart preserve-fw-state`}
${longLived === undefined ? "" : ` bgp long-lived-graceful-restart stale-time ${longLived}`}
${sessions.map(neighbor).join("\n")}
${FAMILIES.map((family) => activation(family, setup)).join("\n")}
exit
${routeCommands(as, new Map(), byPrefix(routes))}`;
}

/** By its own names. */
const wellKnown: Readonly<Record<string, string>> = { llgrStale: "65535:6" };

interface Path {
  readonly aspath: { readonly segments: readonly { readonly list: readonly number[] }[] };
  readonly locPrf?: number;
  readonly community?: { readonly list: readonly string[] };
  readonly largeCommunity?: { readonly list: readonly string[] };
  readonly extendedCommunity?: { readonly string: string };
  readonly originatorId?: string;
  readonly clusterList?: { readonly list: readonly string[] };
  readonly otc?: number;
  readonly nexthops: readonly { readonly ip: string; readonly scope?: string }[];
  readonly peer: { readonly peerId: string };
}

function routeSeen(prefix: string, path: Path): RouteSeen {
  const nextHop = path.nexthops.find(({ scope }) => scope !== "link-local");
  const extended = path.extendedCommunity?.string.split(" ") ?? [];
  return {
    prefix,
    nextHop: nextHop?.ip ?? "",
    asPath: path.aspath.segments.flatMap(({ list }) => list),
    localPref: path.locPrf,
    communities: (path.community?.list ?? []).map((each) => wellKnown[each] ?? each).sort(),
    largeCommunities: [...(path.largeCommunity?.list ?? [])].sort(),
    routeTargets: extended.flatMap((text) => (text.startsWith("RT:") ? [text.slice(3)] : [])),
    originatorId: path.originatorId,
    clusterList: path.clusterList?.list ?? [],
    onlyToCustomer: path.otc,
  };
}

class RunningFrr implements RunningProgram {
  readonly #place: Place;
  readonly #setup: ProgramSetup;
  readonly #end: (signal: NodeJS.Signals) => Promise<void>;
  #routes: ReadonlyMap<string, RouteSetup>;

  constructor(place: Place, setup: ProgramSetup) {
    this.#place = place;
    this.#setup = setup;
    this.#routes = byPrefix(setup.routes);
    const files = ["-f", place.write("bgpd.conf", configuration(setup)), "-i", place.path("pid")];
    const addresses = new Set(setup.sessions.map(({ localAddress }) => localAddress));
    const listen = [...addresses].flatMap((address) => ["-l", address]);
    // Port 0: no telnet.
    const alone = ["-Z", "-S", "-P", "0", "--vty_socket", place.directory, "--log", "stdout"];
    const child = place.spawn(["/usr/lib/frr/bgpd", ...alone, ...files, ...listen]);
    this.#end = (signal) => child.end(signal);
  }

  async ready(): Promise<void> {
    await until("bgpd's socket", () => this.#try("show version"), {
      state: () => this.#place.log(),
    });
  }

  async routes(neighbor?: string): Promise<readonly RouteSeen[]> {
    const neighbors = new Set(
      neighbor === undefined ? this.#setup.sessions.map((each) => each.neighbor) : [neighbor],
    );
    const found: RouteSeen[] = [];
    for (const family of FAMILIES) {
      const text = await this.#vtysh(`show bgp ${family} unicast json detail`);
      // The first of a prefix's entries is about the prefix itself.
      const { routes } = JSON.parse(text) as { routes: Record<string, readonly Path[]> };
      for (const [prefix, [, ...paths]] of Object.entries(routes)) {
        for (const path of paths) {
          if (neighbors.has(path.peer.peerId)) found.push(routeSeen(prefix, path));
        }
      }
    }
    return found;
  }

  async session(neighbor: string) {
    const text = await this.#vtysh(`show bgp neighbors ${neighbor} json`);
    const { [neighbor]: state } = JSON.parse(text) as Record<
      string,
      {
        readonly bgpState: string;
        readonly bgpTimerHoldTimeMsecs: number;
        readonly messageStats: { readonly updatesRecv: number; readonly updatesSent: number };
      }
    >;
    return {
      established: state?.bgpState === "Established",
      holdSeconds: (state?.bgpTimerHoldTimeMsecs ?? 0) / 1000,
      updatesReceived: state?.messageStats.updatesRecv ?? 0,
      updatesSent: state?.messageStats.updatesSent ?? 0,
      text,
    };
  }

  async setRoutes(routes: readonly RouteSetup[]): Promise<void> {
    const after = byPrefix(routes);
    const commands = routeCommands(this.#setup.as, this.#routes, after);
    this.#routes = after;
    const file = this.#place.write("commands", commands);
    await this.#place.run("vtysh", "--vty_socket", this.#place.directory, "-f", file);
  }

  async refresh(): Promise<void> {
    await this.#vtysh(`clear bgp ${this.#setup.sessions[0]!.neighbor} soft in`);
  }

  async reset(): Promise<void> {
    await this.#vtysh(`clear bgp ${this.#setup.sessions[0]!.neighbor}`);
  }

  async stop(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    await this.#end(signal);
  }

  async #vtysh(command: string): Promise<string> {
    return this.#place.run("vtysh", "--vty_socket", this.#place.directory, "-c", command);
  }

  async #try(command: string): Promise<string | undefined> {
    try {
      return await this.#vtysh(command);
    } catch {
      return undefined;
    }
  }
}

export const frr: Program = {
  name: "FRR",
  command: ["/usr/lib/frr/bgpd", "--version"],
  shutdownWords: /Administrative Shutdown/,
  lacks: {
    announcesPaths: "FRR has one route of its own to a prefix",
    announcesNoExport: "FRR applies NO_EXPORT to the routes it originates itself",
    linkLocal: "bgpd knows a link by zebra, without which it runs here",
    bfd: "bgpd reaches FRR's BFD only through zebra, without which it runs here",
    twoOctetAs: "FRR can only leave out all capabilities, not that for AS numbers alone",
  },
  async start(place, setup) {
    const running = new RunningFrr(place, setup);
    await running.ready();
    return running;
  },
};
