/**
 * A speaker for the BIRD tests, run inside a network namespace: configuration comes as JSON lines on
 * standard input (`{"config": …}`, `{"refresh": name}`, `{"stop": {notify}}`), what it knows goes out as
 * JSON lines after every change and at least four times a second.
 */

import { createInterface } from "node:readline";
import {
  type LearnedRoute,
  type OriginatedRoute,
  type PeerConfig,
  Speaker,
  type SpeakerConfig,
} from "../../src/bgp/index.ts";
import {
  formatAddress,
  formatPrefix,
  ipAddress,
  ipv4,
  prefix,
  systemClock,
} from "../../src/lib/index.ts";
import { createLog } from "../../src/lib/log/index.ts";

type Addresses = "address" | "localAddress";

/** The configuration as sent: addresses and prefixes are text. */
export interface ProgramConfig extends Omit<SpeakerConfig, "originate" | "peers" | "routerId"> {
  readonly routerId: string;
  readonly originate: readonly (string | OriginatedText)[];
  readonly peers: readonly (Omit<PeerConfig, Addresses> & Record<Addresses, string>)[];
}

export interface OriginatedText extends Omit<OriginatedRoute, "prefix" | "nextHop"> {
  readonly prefix: string;
}

export type ProgramCommand =
  | { readonly config: ProgramConfig }
  | { readonly refresh: string }
  | { readonly stop: { readonly notify: boolean } };

export interface ProgramReport {
  readonly peers: readonly {
    readonly name: string;
    readonly state: string;
    readonly lastError: string;
    readonly endOfRib: boolean;
    readonly gracefulRestart: boolean;
    readonly routesReceived: number;
    readonly routesSent: number;
  }[];
  /** `PREFIX via NEXTHOP as PATH[ large A:B:C][ stale]`, sorted; none when there are many. */
  readonly routes: readonly string[];
  /** When there are many: those received. */
  readonly routeCount: number;
  /** Changes told to listeners since the start: announcements and losses. */
  readonly announced: number;
  readonly lost: number;
  readonly converged: boolean;
  readonly rssBytes: number;
}

const MANY = 1000;
let speaker: Speaker | undefined;
let announced = 0;
let lost = 0;

function report(): void {
  if (speaker === undefined) return;
  const peers = speaker.peers().map((peer) => ({ ...peer, address: "" }));
  const received = peers.reduce((sum, peer) => sum + peer.routesReceived, 0);
  const texts = received > MANY ? [] : speaker.routes().map(routeText);
  const line: ProgramReport = {
    peers,
    routes: texts.sort(),
    routeCount: received > MANY ? received : texts.length,
    announced,
    lost,
    converged: speaker.converged(),
    rssBytes: process.memoryUsage.rss(),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function routeText(route: LearnedRoute): string {
  const { prefix: known, nextHop, asPath, largeCommunities, stale } = route;
  const large = largeCommunities.map((each) => ` large ${each.join(":")}`).join("");
  const path = asPath.join(" ");
  return `${formatPrefix(known)} via ${formatAddress(nextHop)} as ${path}${large}${stale ? " stale" : ""}`;
}

function originated(route: string | OriginatedText): OriginatedRoute {
  return typeof route === "string"
    ? { prefix: prefix(route) }
    : { ...route, prefix: prefix(route.prefix) };
}

async function handle(command: ProgramCommand): Promise<void> {
  if ("config" in command) {
    const { originate, peers, routerId, ...rest } = command.config;
    const config: SpeakerConfig = {
      ...rest,
      routerId: ipv4(routerId),
      originate: originate.map(originated),
      peers: peers.map((peer) => ({
        ...peer,
        address: ipAddress(peer.address),
        localAddress: ipAddress(peer.localAddress),
      })),
    };
    if (speaker) {
      speaker.configure(config);
      return;
    }
    speaker = new Speaker({
      clock: systemClock,
      log: createLog({ level: process.env.BGP_LOG ?? "silent" }),
      config,
    });
    speaker.onRoutes((changes) => {
      for (const { best } of changes) best ? announced++ : lost++;
      report();
    });
    speaker.onPeers(report);
    await speaker.start();
    const again = () => {
      report();
      systemClock.schedule(250, again);
    };
    again();
  } else if ("refresh" in command) {
    speaker?.refresh(command.refresh);
  } else {
    await speaker?.stop(command.stop);
    process.exit(0);
  }
}

if (import.meta.main) {
  for await (const line of createInterface({ input: process.stdin })) {
    await handle(JSON.parse(line) as ProgramCommand);
  }
}
