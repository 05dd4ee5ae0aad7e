/**
 * A speaker of ours, run inside a network namespace: commands come as JSON lines on standard input, what it
 * knows goes out as JSON lines after every change and at least four times a second.
 */

import { createInterface } from "node:readline";
import {
  type LargeCommunity,
  type LearnedRoute,
  type OriginatedRoute,
  type PeerConfig,
  type PeerStatus,
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
import type { RouteSetup } from "./programs/program.ts";

type Addresses = "address" | "localAddress";

/** A peer as sent: addresses are text. */
export type PeerText = Omit<PeerConfig, Addresses> & Record<Addresses, string>;

/** The configuration as sent: addresses and prefixes are text. */
export interface SpeakerText
  extends Omit<SpeakerConfig, "originate" | "peers" | "routerId" | "listen"> {
  readonly routerId: string;
  readonly listen: readonly { readonly addresses: readonly string[]; readonly port: number }[];
  readonly originate: readonly RouteSetup[];
  readonly peers: readonly PeerText[];
}

export type SpeakerCommand =
  | { readonly config: SpeakerText }
  | { readonly refresh: string }
  | { readonly stop: { readonly notify: boolean; readonly message?: string } };

export interface RouteReport {
  readonly prefix: string;
  readonly nextHop: string;
  readonly asPath: readonly number[];
  readonly localPref: number;
  readonly communities: readonly string[];
  readonly largeCommunities: readonly string[];
  readonly routeTargets: readonly string[];
  readonly stale: boolean;
  /** Next hops of all paths known, sorted. */
  readonly paths: readonly string[];
}

export interface SpeakerReport {
  readonly peers: readonly Omit<PeerStatus, "address">[];
  /** By prefix; none when there are many. */
  readonly routes: readonly RouteReport[];
  /** When there are many: those received. */
  readonly routeCount: number;
  /** Prefixes that lost their last route since the start. */
  readonly lost: number;
  readonly converged: boolean;
  readonly rssBytes: number;
}

const MANY = 1000;
let speaker: Speaker | undefined;
let lost = 0;

function report(): void {
  if (speaker === undefined) return;
  const peers = speaker.peers().map(({ address: _, ...peer }) => peer);
  const received = peers.reduce((sum, peer) => sum + peer.routesReceived, 0);
  const routes = received > MANY ? [] : speaker.routes().map((route) => reported(route, speaker!));
  const line: SpeakerReport = {
    peers,
    routes: routes.sort((a, b) => (a.prefix < b.prefix ? -1 : 1)),
    routeCount: received > MANY ? received : routes.length,
    lost,
    converged: speaker.converged(),
    rssBytes: process.memoryUsage.rss(),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function reported(route: LearnedRoute, from: Speaker): RouteReport {
  const { paths } = from.why(route.prefix);
  return {
    prefix: formatPrefix(route.prefix),
    nextHop: formatAddress(route.nextHop),
    asPath: route.asPath,
    localPref: route.localPref,
    communities: route.communities.map((each) => `${each >>> 16}:${each & 0xffff}`).sort(),
    largeCommunities: route.largeCommunities.map((each) => each.join(":")).sort(),
    routeTargets: route.extendedCommunities.flatMap(routeTarget).sort(),
    stale: route.stale,
    paths: paths.map((path) => formatAddress(path.route.nextHop)).sort(),
  };
}

/** RFC 4360 section 3.1, 4 (of an AS with two octets); RFC 5668. */
function routeTarget(community: bigint): string[] {
  const kind = Number(community >> 48n);
  if (kind === 0x0002) return [`${(community >> 32n) & 0xffffn}:${community & 0xffffffffn}`];
  if (kind === 0x0202) return [`${(community >> 16n) & 0xffffffffn}:${community & 0xffffn}`];
  return [];
}

function originated(route: RouteSetup): OriginatedRoute {
  const { prefix: text, nextHop, communities = [], largeCommunities = [] } = route;
  return {
    prefix: prefix(text),
    ...(nextHop === undefined ? {} : { nextHop: ipAddress(nextHop) }),
    communities: communities.map((each) => {
      const [high = 0, low = 0] = each.split(":").map(Number);
      return high * 65_536 + low;
    }),
    largeCommunities: largeCommunities.map(
      (each) => each.split(":").map(Number) as unknown as LargeCommunity,
    ),
  };
}

function speakerConfig({
  originate,
  peers,
  routerId,
  listen,
  ...rest
}: SpeakerText): SpeakerConfig {
  return {
    ...rest,
    routerId: ipv4(routerId),
    listen: listen.map(({ addresses, port }) => ({ addresses: addresses.map(ipAddress), port })),
    originate: originate.map(originated),
    peers: peers.map((peer) => ({
      ...peer,
      address: ipAddress(peer.address),
      localAddress: ipAddress(peer.localAddress),
    })),
  };
}

async function handle(command: SpeakerCommand): Promise<void> {
  if ("config" in command) {
    const config = speakerConfig(command.config);
    if (speaker) {
      speaker.configure(config);
      return;
    }
    const log = createLog({ level: process.env.BGP_LOG ?? "silent" });
    speaker = new Speaker({ clock: systemClock, log, config });
    speaker.onRoutes((changes) => {
      for (const { best } of changes) if (best === undefined) lost++;
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
    await handle(JSON.parse(line) as SpeakerCommand);
  }
}
