/**
 * A scenario: what is to hold between our speaker and any other program. It says what it needs; a program that
 * lacks it is left out with its reason. `Stage` is what a scenario plays on: a lab, the two ends, and words to
 * wait for what either end says.
 */

import type { AddressFamily } from "../../src/bgp/index.ts";
import { Lab, OURS, THEIRS } from "./lab.ts";
import { OurSpeaker } from "./our-speaker.ts";
import { type Place, until } from "./place.ts";
import type {
  Feature,
  Program,
  ProgramSetup,
  RouteSeen,
  RouteSetup,
  RunningProgram,
  SessionSeen,
  SessionSetup,
} from "./programs/program.ts";
import type { PeerText, SpeakerReport, SpeakerText } from "./speaker-program.ts";

export interface Scenario {
  /** What is to hold, in words. */
  readonly title: string;
  readonly needs?: readonly Feature[];
  /** Played one by one, each on a stage of its own; once without particulars when absent. */
  readonly variants?: Readonly<Record<string, Ends & { readonly needs?: readonly Feature[] }>>;
  run(stage: Stage, ends: Ends, variant: string): Promise<void>;
}

/** One session, seen from both ends. */
export interface Ends {
  /** 64512 and 65001 unless told. */
  readonly ourAs?: number;
  readonly theirAs?: number;
  /** What the session runs over: IPv4 unless told. */
  readonly over?: 4 | 6;
  /** That of `over` unless told. */
  readonly families?: readonly AddressFamily[];
  readonly ours?: Partial<PeerText>;
  readonly theirs?: Partial<SessionSetup>;
  readonly ourRoutes?: readonly (string | RouteSetup)[];
  readonly theirRoutes?: readonly (string | RouteSetup)[];
}

type Variant = NonNullable<Scenario["variants"]>[string];

/** Once for each side that dials, over each family. */
export function eachDials(
  needs: { readonly theyDial?: readonly Feature[]; readonly weDial?: readonly Feature[] } = {},
): Readonly<Record<string, Variant>> {
  const theyDial = { ours: { passive: true }, needs: needs.theyDial ?? [] };
  const weDial = { theirs: { passive: true }, needs: needs.weDial ?? [] };
  return {
    "the program dials": theyDial,
    "we dial": weDial,
    "the program dials over IPv6": { over: 6, ...theyDial },
    "we dial over IPv6": { over: 6, ...weDial },
  };
}

export const OUR_AS = 64512;
export const THEIR_AS = 65001;
export const RESTART_SECONDS = 30;
/** So long nothing may happen where nothing is to happen; each side tries every second. */
export const QUIET_MS = 1500;
/** Our name for them. */
export const PEER = "peer";

export function routeSetups(routes: readonly (string | RouteSetup)[] = []): RouteSetup[] {
  return routes.map((route) => (typeof route === "string" ? { prefix: route } : route));
}

export function ourConfig(ends: Ends): SpeakerText {
  const { over = 4, families = [`ipv${over}-unicast`] } = ends;
  return {
    localAs: ends.ourAs ?? OUR_AS,
    routerId: OURS[4],
    listen: [{ addresses: [OURS[4], OURS[6]], port: 179 }],
    gracefulRestart: { restartTimeSeconds: RESTART_SECONDS },
    originate: routeSetups(ends.ourRoutes),
    peers: [
      {
        name: PEER,
        address: THEIRS[over],
        localAddress: OURS[over],
        remoteAs: ends.theirAs ?? THEIR_AS,
        connectRetrySeconds: 1,
        families,
        ...ends.ours,
      },
    ],
  };
}

export function theirSetup(ends: Ends): ProgramSetup {
  const { over = 4, families = [`ipv${over}-unicast`] } = ends;
  return {
    as: ends.theirAs ?? THEIR_AS,
    routerId: THEIRS[4],
    routes: routeSetups(ends.theirRoutes),
    sessions: [
      {
        localAddress: THEIRS[over],
        neighbor: OURS[over],
        neighborAs: ends.ourAs ?? OUR_AS,
        families,
        restartSeconds: RESTART_SECONDS,
        ...ends.theirs,
      },
    ],
  };
}

export class Stage {
  readonly program: Program;
  readonly lab = new Lab();
  #ours: OurSpeaker | undefined;
  #theirs: RunningProgram | undefined;
  #theirPlace: Place | undefined;
  #neighbor = OURS[4];

  constructor(program: Program) {
    this.program = program;
  }

  get ours(): OurSpeaker {
    if (this.#ours === undefined) throw new Error("our speaker is not started");
    return this.#ours;
  }

  get theirs(): RunningProgram {
    if (this.#theirs === undefined) throw new Error("the program is not started");
    return this.#theirs;
  }

  /** The program's view of the session. */
  async theirSession(): Promise<SessionSeen> {
    return this.theirs.session(this.#neighbor);
  }

  async startTheirs(ends: Ends, restarted = false): Promise<void> {
    await this.startProgram(theirSetup(ends), restarted);
  }

  /** The one started last is `theirs`. */
  async startProgram(setup: ProgramSetup, restarted = false): Promise<RunningProgram> {
    this.#neighbor = setup.sessions[0]!.neighbor;
    this.#theirPlace = this.lab.place("theirs");
    this.#theirs = await this.program.start(this.#theirPlace, setup, restarted);
    return this.#theirs;
  }

  startOurs(ends: Ends): void {
    this.startSpeaker(ourConfig(ends));
  }

  /** The one started first is `ours` while it runs. */
  startSpeaker(config: SpeakerText): OurSpeaker {
    const speaker = new OurSpeaker(this.lab.place("ours"), config);
    if (this.#ours === undefined || this.#ours.ended) this.#ours = speaker;
    return speaker;
  }

  /** Another configuration of our speaker, which runs on. */
  configure(ends: Ends): void {
    this.ours.configure(ourConfig(ends));
  }

  /** Both ends. */
  async start(ends: Ends): Promise<void> {
    this.startOurs(ends);
    await this.startTheirs(ends);
  }

  /** Both ends gone, with no word. */
  async stop(): Promise<void> {
    await this.#ours?.kill();
    await this.#theirs?.stop("SIGKILL");
  }

  async untilOurs(
    what: string,
    condition: (report: SpeakerReport) => boolean,
    options: Parameters<typeof until>[2] = {},
  ): Promise<SpeakerReport> {
    return this.ours.until(what, condition, { ...options, state: () => this.state() });
  }

  /** Waits for a word of the program on the session. */
  async untilTheySay(what: string, condition: (session: SessionSeen) => boolean) {
    const probe = async () => {
      const session = await this.theirSession();
      return condition(session) && session;
    };
    return until(what, probe, { state: () => this.state() });
  }

  /** Waits until exactly these are learned from the program, and it has told all. */
  async untilWeHave(prefixes: readonly string[]): Promise<SpeakerReport> {
    return this.untilOurs(`we have ${prefixes.join(", ") || "nothing"}`, (report) => {
      return report.converged && samePrefixes(report.routes, prefixes);
    });
  }

  /** Waits until the program has learned exactly these from us. */
  async untilTheyHave(prefixes: readonly string[]): Promise<readonly RouteSeen[]> {
    return until(
      `they have ${prefixes.join(", ") || "nothing"}`,
      async () => {
        const routes = await this.theirs.routes();
        return samePrefixes(routes, prefixes) && routes;
      },
      { state: () => this.state() },
    );
  }

  async untilEstablished(): Promise<SpeakerReport> {
    return this.untilOurs("established", ({ peers }) => peers[0]?.state === "Established");
  }

  async close(): Promise<void> {
    await this.lab.close();
  }

  /** All that both ends say, for whoever waited in vain. */
  async state(): Promise<string> {
    const running = this.#theirs;
    if (running === undefined) return "";
    try {
      const { text } = await running.session(this.#neighbor);
      const routes = (await running.routes()).slice(0, 20);
      return `theirs: ${text}\n${JSON.stringify(routes)}\n${this.#theirPlace?.log()}`;
    } catch (error) {
      return `theirs: ${error}`;
    }
  }
}

function samePrefixes(
  routes: readonly { readonly prefix: string }[],
  prefixes: readonly string[],
): boolean {
  const found = new Set(routes.map(({ prefix }) => prefix));
  return found.size === prefixes.length && prefixes.every((prefix) => found.has(prefix));
}
