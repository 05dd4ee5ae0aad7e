/**
 * ExaBGP (Debian: `exabgp`): it speaks BGP and keeps no table, so what it learned is put together here from the
 * events that it prints as JSON. A shell is its "process": commands come from a file that grows, events go to
 * another.
 *
 * How it differs: with graceful restart agreed on it ends a session without a NOTIFICATION. It always says that
 * it has restarted and keeps forwarding. A listening socket, with its keys, belongs to a neighbour (`listen`).
 * It fails to tell what was negotiated where it sends several paths.
 */

import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { type Place, until } from "../place.ts";
import { ExabgpEvents } from "./exabgp-events.ts";
import {
  FAMILIES,
  type Program,
  type ProgramSetup,
  type RouteSeen,
  type RouteSetup,
  type RunningProgram,
  type SessionSetup,
} from "./program.ts";

const ADMINISTRATIVE_RESET = 4;
/** RFC 6793: stands for an AS number that does not fit two octets. */
const AS_TRANS = 23456;

/** IPv4 over IPv6 alone needs its next hop said; "self" is not announced then. */
function routeText(
  { prefix, nextHop, pathId, ...route }: RouteSetup,
  [session]: readonly SessionSetup[],
) {
  const { communities = [], largeCommunities = [], routeTargets = [] } = route;
  const targets = routeTargets.map((each) => `target:${each}`);
  const lists = [
    ["community", communities],
    ["large-community", largeCommunities],
    ["extended-community", targets],
  ] as const;
  const words = lists.flatMap(([name, values]) =>
    values.length > 0 ? [`${name} [ ${values.join(" ")} ]`] : [],
  );
  const self = session?.extendedNextHop ? session.localAddress : "self";
  const id = pathId === undefined ? [] : [`path-information 0.0.0.${pathId}`];
  return [`route ${prefix} next-hop ${nextHop ?? self}`, ...id, ...words].join(" ");
}

function timesToLive({ ttlSecurityHops, ttl }: SessionSetup): string {
  if (ttlSecurityHops !== undefined) {
    return `incoming-ttl ${256 - ttlSecurityHops}; outgoing-ttl 255;`;
  }
  return ttl === undefined ? "" : `outgoing-ttl ${ttl};`;
}

function neighbor(session: SessionSetup, { as, routerId, routes }: ProgramSetup): string {
  const on = (value: boolean | undefined) => (value ? "enable" : "disable");
  return `
neighbor ${session.neighbor} {
  router-id ${routerId};
  local-address ${session.localAddress};
  local-as ${as};
  peer-as ${session.twoOctetAs ? Math.min(AS_TRANS, session.neighborAs) : session.neighborAs};
  hold-time ${session.holdSeconds ?? 90};
  listen 179;
  adj-rib-out true;
  ${session.passive ? "passive true;" : ""}
  ${session.password === undefined ? "" : `md5-password "${session.password}";`}
  ${timesToLive(session)}
  capability {
    ${session.restartSeconds === undefined ? "" : `graceful-restart ${session.restartSeconds};`}
    asn4 ${on(!session.twoOctetAs)};
    route-refresh enable;
    extended-message ${on(session.extendedMessages)};
    nexthop ${on(session.extendedNextHop)};
    add-path ${session.addPath ? "send/receive" : "disable"};
  }
  family { ${session.families.map((family) => `${family.replace("-", " ")};`).join(" ")} }
  ${session.extendedNextHop ? "nexthop { ipv4 unicast ipv6; }" : ""}
  api {
    processes [ events ];
    neighbor-changes;
    ${session.addPath ? "" : "negotiated;"}
    receive { parsed; update; }
    send { parsed; update; notification; }
  }
  static { ${routes.map((route) => `${routeText(route, [session])};`).join("\n")} }
}`;
}

class RunningExabgp implements RunningProgram {
  readonly #place: Place;
  readonly #setup: ProgramSetup;
  readonly #end: (signal: NodeJS.Signals) => Promise<void>;
  #routes: readonly RouteSetup[];

  constructor(place: Place, setup: ProgramSetup) {
    this.#place = place;
    this.#setup = setup;
    this.#routes = setup.routes;
    const commands = place.write("commands", "");
    // The reader of commands ends with the writer of events.
    const shell = `tail --pid=$$ -n +1 -s 0.05 -f ${commands} & exec cat > ${place.path("events")}`;
    const process = `process events {\n  run /bin/sh -c "${shell}";\n  encoder json;\n}`;
    const neighbors = setup.sessions.map((session) => neighbor(session, setup));
    const file = place.write("exabgp.conf", `${process}\n${neighbors.join("\n")}\n`);
    const child = place.spawn(["exabgp", file], {
      env: {
        "exabgp.daemon.user": "root",
        "exabgp.api.ack": "false",
        "exabgp.api.cli": "false",
        "exabgp.log.level": "INFO",
      },
    });
    this.#end = (signal) => child.end(signal);
  }

  async ready(): Promise<void> {
    await until("exabgp's process", () => existsSync(this.#place.path("events")), {
      state: () => this.#place.log(),
    });
  }

  async routes(neighbor?: string): Promise<readonly RouteSeen[]> {
    const wanted = this.#setup.sessions
      .map((session) => session.neighbor)
      .filter((each) => neighbor === undefined || each === neighbor);
    const events = this.#events();
    return wanted.flatMap((each) => events.routes(each));
  }

  async session(neighbor: string) {
    return this.#events().session(neighbor);
  }

  async setRoutes(routes: readonly RouteSetup[]): Promise<void> {
    const name = ({ prefix, pathId }: RouteSetup) => `${prefix} ${pathId}`;
    const kept = new Set(routes.map(name));
    const known = new Set(this.#routes.map(name));
    const gone = this.#routes.filter((route) => !kept.has(name(route)));
    const added = routes.filter((route) => !known.has(name(route)));
    this.#routes = routes;
    this.#command(
      ...gone.map((route) => `withdraw ${routeText(route, this.#setup.sessions)}`),
      ...added.map((route) => `announce ${routeText(route, this.#setup.sessions)}`),
    );
  }

  async refresh(): Promise<void> {
    this.#command(...FAMILIES.map((family) => `announce route-refresh ${family} unicast`));
  }

  async reset(): Promise<void> {
    this.#command(`neighbor ${this.#setup.sessions[0]!.neighbor} teardown ${ADMINISTRATIVE_RESET}`);
  }

  async stop(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    await this.#end(signal);
  }

  #command(...lines: readonly string[]): void {
    appendFileSync(this.#place.path("commands"), lines.map((line) => `${line}\n`).join(""));
  }

  #events(): ExabgpEvents {
    return new ExabgpEvents(readFileSync(this.#place.path("events"), "utf8"));
  }
}

const noTable = "ExaBGP keeps no table of routes";

export const exabgp: Program = {
  name: "ExaBGP",
  command: ["exabgp", "--version"],
  shutdownWords: /notification received \(6,2\)/,
  lacks: {
    bfd: "ExaBGP has no BFD",
    keepsRoutes: noTable,
    limitsPrefixes: noTable,
    linkLocal: "ExaBGP's configuration takes no device with an address",
    longLivedRestart: "ExaBGP does not know RFC 9494",
    plain: "ExaBGP always offers the families (RFC 4760)",
    reflects: noTable,
    roles: "ExaBGP 4 has no roles (RFC 9234)",
    ttlSecurity: "ExaBGP asks for a time to live once it has connected, and hears what came before",
    ttlSecurityListening: "ExaBGP asks for a time to live only where it dials",
    shutdownMessage: "ExaBGP 4.2 cannot decode a shutdown with words (RFC 9003)",
    tellsInGrace: "ExaBGP ends sessions with graceful restart without a NOTIFICATION",
  },
  async start(place, setup) {
    const running = new RunningExabgp(place, setup);
    await running.ready();
    return running;
  },
};
