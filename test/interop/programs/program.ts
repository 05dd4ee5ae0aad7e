/**
 * What the tests ask of another BGP program: to be started in a namespace from one description that all of
 * them share, to tell what it knows in one shape, and to do to a session what an operator would do.
 */

import type { AddressFamily, Role } from "../../../src/bgp/index.ts";
import type { Place } from "../place.ts";

/** What some program lacks: a scenario names what it needs, a program what it lacks, and why. */
export type Feature =
  /** Tells several paths of its own to one prefix (RFC 7911). */
  | "announcesPaths"
  | "announcesNoExport"
  /** Watches the path by BFD, single hop. */
  | "bfd"
  | "extendedMessages"
  /** What it announced before a restart it says to forward on (RFC 4724, F bit). */
  | "forwards"
  /** Keeps our routes while we restart. */
  | "keepsRoutes"
  | "limitsPrefixes"
  /** Speaks over addresses of one link. */
  | "linkLocal"
  /** Keeps our routes for longer than our restart (RFC 9494). */
  | "longLivedRestart"
  | "manyRoutes"
  /** Can do without capabilities. */
  | "plain"
  | "reflects"
  | "refreshes"
  | "roles"
  /** Shows the operator's words (RFC 9003). */
  | "shutdownMessage"
  /** Sends NOTIFICATIONs in sessions with graceful restart too. */
  | "tellsInGrace"
  | "ttlSecurity"
  /** For connections that it accepts, too. */
  | "ttlSecurityListening"
  | "twoOctetAs";

export const FAMILIES = ["ipv4", "ipv6"] as const;
export type Family = (typeof FAMILIES)[number];

export function familyOf(prefix: string): Family {
  return prefix.includes(":") ? "ipv6" : "ipv4";
}

export interface RouteSetup {
  readonly prefix: string;
  /** RFC 7911; none unless told. */
  readonly pathId?: number;
  /** The session's own address unless told. */
  readonly nextHop?: string;
  /** `64512:1` */
  readonly communities?: readonly string[];
  /** `64512:1:2` */
  readonly largeCommunities?: readonly string[];
  /** Route targets: `64512:1`. */
  readonly routeTargets?: readonly string[];
}

/** One session as the program is to have it. Unless told: dials and listens, hold time 90 s. */
export interface SessionSetup {
  readonly localAddress: string;
  /** Of our speaker. */
  readonly neighbor: string;
  readonly neighborAs: number;
  readonly families: readonly AddressFamily[];
  /** Graceful restart, with this restart time; none when absent. */
  readonly restartSeconds?: number | undefined;
  /** Long-lived graceful restart (RFC 9494), with this stale time. */
  readonly longLivedSeconds?: number;
  readonly holdSeconds?: number;
  /** Waits to be dialled. */
  readonly passive?: boolean;
  readonly password?: string;
  /** GTSM (RFC 5082): our speaker is at most so many hops away. */
  readonly ttlSecurityHops?: number;
  /** Time to live of what it sends; the program's choice unless told. */
  readonly ttl?: number;
  /** Its routes are reflected to, and from, this client. */
  readonly reflectorClient?: boolean;
  readonly extendedMessages?: boolean;
  readonly extendedNextHop?: boolean;
  /** Tells all paths to a prefix, and takes several (RFC 7911). */
  readonly addPath?: boolean;
  readonly maximumPrefixes?: number;
  /** Speaks RFC 4271 alone, without capabilities. */
  readonly plain?: boolean;
  /** Does not offer AS numbers of four octets (RFC 6793). */
  readonly twoOctetAs?: boolean;
  readonly role?: Role;
  /** The neighbour is on the same link, and the path to it watched. */
  readonly bfd?: { readonly intervalMs: number; readonly multiplier: number };
}

export interface ProgramSetup {
  readonly as: number;
  readonly routerId: string;
  readonly sessions: readonly SessionSetup[];
  readonly routes: readonly RouteSetup[];
}

/** A route that the program learned, in words that all programs share. */
export interface RouteSeen {
  readonly prefix: string;
  readonly nextHop: string;
  readonly asPath: readonly number[];
  readonly localPref?: number | undefined;
  readonly communities: readonly string[];
  readonly largeCommunities: readonly string[];
  /** Route targets. */
  readonly routeTargets: readonly string[];
  readonly originatorId?: string | undefined;
  readonly clusterList: readonly string[];
  /** RFC 9234. */
  readonly onlyToCustomer?: number | undefined;
}

export interface SessionSeen {
  readonly established: boolean;
  /** Agreed on, seconds. */
  readonly holdSeconds?: number | undefined;
  /** Messages with routes since the session began; only more or less is meant. */
  readonly updatesReceived: number;
  readonly updatesSent: number;
  /** All that the program has to say of it. */
  readonly text: string;
}

export interface RunningProgram {
  /** The routes learned from our speaker; those of one neighbour when told. */
  routes(neighbor?: string): Promise<readonly RouteSeen[]>;
  session(neighbor: string): Promise<SessionSeen>;
  /** Announces exactly these from now on. */
  setRoutes(routes: readonly RouteSetup[]): Promise<void>;
  /** Asks for our routes again in its first session (RFC 2918). */
  refresh(): Promise<void>;
  /** Ends its first session with Cease / Administrative Reset; it may come back. */
  reset(): Promise<void>;
  /** Ends when the process has. */
  stop(signal: "SIGKILL" | "SIGTERM"): Promise<void>;
}

export interface Program {
  readonly name: string;
  /** Prints its version. */
  readonly command: readonly [string, ...string[]];
  /** How it shows that the other side ended the session by Cease / Administrative Shutdown. */
  readonly shutdownWords: RegExp;
  readonly lacks: Partial<Readonly<Record<Feature, string>>>;
  /** Ends when it takes commands. `restarted`: it is to say so (RFC 4724 section 3, R bit). */
  start(place: Place, setup: ProgramSetup, restarted?: boolean): Promise<RunningProgram>;
}
