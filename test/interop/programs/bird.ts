/**
 * BIRD 2 (Debian: `bird2`). A configuration file that is read again on `birdc configure`; `birdc` prints text
 * for people, which is read here.
 *
 * How it differs: without `strict bind` it listens on every address. a BIRD that restarts says so only with `-R`. It knows no AS number of its neighbour beyond
 * two octets when told to do without RFC 6793 (`neighbor … external` instead). Its `multihop` is both the time
 * to live it sends and, with `ttl security`, the one it asks for.
 */

import { type Place, until } from "../place.ts";
import type {
  Program,
  ProgramSetup,
  RouteSeen,
  RouteSetup,
  RunningProgram,
  SessionSetup,
} from "./program.ts";

const familyOf = (prefix: string) => (prefix.includes(":") ? 6 : 4);
const tuple = (text: string, head = "") => `(${head}${text.replaceAll(":", ", ")})`;

function route(setup: RouteSetup): string {
  const { prefix, nextHop, communities, largeCommunities, routeTargets } = setup;
  const add = [
    ...(nextHop === undefined ? [] : [`bgp_next_hop = ${nextHop};`]),
    ...(communities ?? []).map((each) => `bgp_community.add(${tuple(each)});`),
    ...(largeCommunities ?? []).map((each) => `bgp_large_community.add(${tuple(each)});`),
    ...(routeTargets ?? []).map((each) => `bgp_ext_community.add(${tuple(each, "rt, ")});`),
  ];
  const attributes = add.length === 0 ? "" : ` { ${add.join(" ")} }`;
  return `route ${prefix} blackhole${attributes};`;
}

function channel(family: 4 | 6, session: SessionSetup): string {
  const { addPath, extendedNextHop, maximumPrefixes, reflectorClient } = session;
  const lines = [
    "import all;",
    `export where source = RTS_STATIC${reflectorClient ? " || source = RTS_BGP" : ""};`,
    extendedNextHop ? "extended next hop on;" : "",
    addPath ? "add paths on;" : "",
    maximumPrefixes === undefined ? "" : `import limit ${maximumPrefixes} action disable;`,
  ];
  return `ipv${family} { ${lines.join(" ")} };`;
}

function ttl({ ttlSecurityHops, ttl: sent, bfd, neighbor }: SessionSetup): string {
  // Of a link there is one hop.
  if (neighbor.includes("%")) return "direct;";
  // To a neighbour at several hops BIRD sends BFD of RFC 5883, another protocol on another port.
  if (bfd) return "direct; bfd on;";
  if (ttlSecurityHops !== undefined) return `ttl security on; multihop ${ttlSecurityHops};`;
  return `ttl security off; multihop ${sent ?? ""};`;
}

function role({ role: own }: SessionSetup): string {
  if (own === undefined) return "";
  const word = own.replace("rs", "rs_server").replace("rs_server-client", "rs_client");
  return `local role ${word}; require roles on;`;
}

function longLived({ longLivedSeconds }: SessionSetup): string {
  if (longLivedSeconds === undefined) return "";
  return `long lived graceful restart on; long lived stale time ${longLivedSeconds};`;
}

function session(setup: SessionSetup, index: number, as: number): string {
  const { localAddress, neighbor, neighborAs, restartSeconds, families } = setup;
  return `
protocol bgp s${index} {
  local ${localAddress} as ${as};
  neighbor ${neighbor} ${setup.twoOctetAs ? "external" : `as ${neighborAs}`};
  strict bind on;
  hold time ${setup.holdSeconds ?? 90};
  connect retry time 1; connect delay time 1; error wait time 1, 2;
  ${restartSeconds === undefined ? "graceful restart off" : `graceful restart on; graceful restart time ${restartSeconds}`};
  ${longLived(setup)}
  ${setup.passive ? "passive on;" : ""}
  ${setup.password === undefined ? "" : `password "${setup.password}";`}
  ${ttl(setup)}
  ${setup.reflectorClient ? "rr client;" : ""}
  ${setup.extendedMessages ? "enable extended messages on;" : ""}
  ${setup.twoOctetAs ? "enable as4 off;" : ""}
  ${setup.plain ? "capabilities off;" : ""}
  ${role(setup)}
  ${families.map((family) => channel(family === "ipv4-unicast" ? 4 : 6, setup)).join("\n  ")}
}`;
}

function bfdProtocol(sessions: readonly SessionSetup[]): string {
  const bfd = sessions.find((each) => each.bfd)?.bfd;
  if (bfd === undefined) return "";
  const { intervalMs, multiplier } = bfd;
  return `protocol bfd {
  interface "*" { interval ${intervalMs} ms; multiplier ${multiplier}; };
}`;
}

function configuration({ as, routerId, sessions }: ProgramSetup, routes: readonly RouteSetup[]) {
  const tables = ([4, 6] as const).map((family) => {
    const own = routes.filter(({ prefix }) => familyOf(prefix) === family).map(route);
    return `protocol static static${family} {\n  ipv${family};\n  ${own.join("\n  ")}\n}`;
  });
  return `router id ${routerId};
protocol device {}
${bfdProtocol(sessions)}
${tables.join("\n")}
${sessions.map((each, index) => session(each, index, as)).join("\n")}
`;
}

/** `(64512,1) (64512,2)` or `(rt, 64512, 1)` as `64512:1`. */
function tuples(text = "", head = ""): string[] {
  const found = [...text.matchAll(/\(([^)]*)\)/g)].map(([, inside = ""]) => inside.split(/, ?/));
  if (head === "") return found.map((parts) => parts.join(":")).sort();
  return found
    .filter(([kind]) => kind === head)
    .map((parts) => parts.slice(1).join(":"))
    .sort();
}

/** A long one goes on in lines that are indented further. */
const ATTRIBUTE = /^\tBGP\.(\w+): ?(.*(?:\n\t\t.*)*)$/gm;

/** `show route all`: a line that is not indented starts a route, or another path to the same prefix. */
function parseRoutes(text: string): RouteSeen[] {
  const routes: RouteSeen[] = [];
  let prefix = "";
  for (const block of text.split(/\n(?=\S| {10,}\S)/)) {
    prefix = /^([\da-f.:]+\/\d+)\s/.exec(block)?.[1] ?? prefix;
    if (!block.includes("BGP.origin")) continue;
    const said = new Map([...block.matchAll(ATTRIBUTE)].map(([, k, v]) => [k, v]));
    const path = said.get("as_path")?.trim();
    routes.push({
      prefix,
      // Of IPv6 there may be a link-local one behind (RFC 2545).
      nextHop: said.get("next_hop")?.split(" ")[0] ?? "",
      asPath: path ? path.split(" ").map(Number) : [],
      localPref: said.has("local_pref") ? Number(said.get("local_pref")) : undefined,
      communities: tuples(said.get("community")),
      largeCommunities: tuples(said.get("large_community")),
      routeTargets: tuples(said.get("ext_community"), "rt"),
      originatorId: said.get("originator_id"),
      clusterList: said.get("cluster_list")?.trim().split(" ") ?? [],
      onlyToCustomer: said.has("otc") ? Number(said.get("otc")) : undefined,
    });
  }
  return routes;
}

class RunningBird implements RunningProgram {
  readonly #place: Place;
  readonly #setup: ProgramSetup;
  readonly #end: (signal: NodeJS.Signals) => Promise<void>;

  constructor(place: Place, setup: ProgramSetup, restarted: boolean) {
    this.#place = place;
    this.#setup = setup;
    this.#configure(setup.routes);
    const files = ["-c", place.path("bird.conf"), "-s", place.path("bird.ctl")];
    const child = place.spawn(["bird", "-f", ...files, ...(restarted ? ["-R"] : [])]);
    this.#end = (signal) => child.end(signal);
  }

  async ready(): Promise<void> {
    await until(
      "bird's control socket",
      () => this.#place.tryRun("birdc", "-s", this.#place.path("bird.ctl"), "show", "status"),
      { state: () => this.#place.log() },
    );
  }

  async routes(neighbor?: string): Promise<readonly RouteSeen[]> {
    const names = neighbor === undefined ? this.#setup.sessions.map((_, i) => `s${i}`) : [];
    if (neighbor !== undefined) names.push(this.#name(neighbor));
    const texts = await Promise.all(
      names.map((name) => this.#birdc(`show route all protocol ${name}`)),
    );
    return texts.flatMap(parseRoutes);
  }

  async session(neighbor: string) {
    const text = await this.#birdc(`show protocols all ${this.#name(neighbor)}`);
    const established = /BGP state: +Established/.test(text);
    const hold = /Hold timer: +[\d.]+\/(\d+)/.exec(text)?.[1];
    const count = (line: string) =>
      Number(new RegExp(`${line} updates: +(\\d+)`).exec(text)?.[1] ?? 0);
    return {
      established,
      holdSeconds: hold === undefined ? undefined : Number(hold),
      updatesReceived: count("Import"),
      updatesSent: count("Export"),
      text,
    };
  }

  async setRoutes(routes: readonly RouteSetup[]): Promise<void> {
    this.#configure(routes);
    await this.#birdc("configure");
  }

  async refresh(): Promise<void> {
    await this.#birdc("reload in s0");
  }

  async reset(): Promise<void> {
    await this.#birdc("restart s0");
  }

  async stop(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    await this.#end(signal);
  }

  #configure(routes: readonly RouteSetup[]): void {
    this.#place.write("bird.conf", configuration(this.#setup, routes));
  }

  #name(neighbor: string): string {
    return `s${this.#setup.sessions.findIndex((session) => session.neighbor === neighbor)}`;
  }

  async #birdc(command: string): Promise<string> {
    return this.#place.run("birdc", "-s", this.#place.path("bird.ctl"), ...command.split(" "));
  }
}

export const bird: Program = {
  name: "BIRD",
  command: ["bird", "--version"],
  shutdownWords: /Received: Administrative shutdown/i,
  lacks: {
    announcesPaths: "BIRD has one route of its own to a prefix",
    forwards: "BIRD sets the F bit of RFC 4724 only after its own restart with -R",
  },
  async start(place, setup, restarted = false) {
    const running = new RunningBird(place, setup, restarted);
    await running.ready();
    return running;
  },
};
