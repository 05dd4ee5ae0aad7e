/** What users of the speaker see: configuration in, routes out; peer states are beside it. Nothing of Calico. */

import type { IpAddress, Ipv4, Prefix } from "../lib/index.ts";
import type { PolicyRule } from "./policy/rule.ts";

export type * from "./message-types.ts";
export type * from "./peer-status.ts";
export type * from "./policy/rule.ts";

/** RFC 8092: Global Administrator and two Local Data Parts, 32 bits each. */
export type LargeCommunity = readonly [
  globalAdministrator: number,
  localData1: number,
  localData2: number,
];

export type AddressFamily = "ipv4-unicast" | "ipv6-unicast";

export interface SpeakerConfig {
  /** Local AS, 1..2^32-1. */
  readonly localAs: number;
  readonly routerId: Ipv4;
  /** Of this route reflector (RFC 4456 section 7); the router id unless told. */
  readonly clusterId?: Ipv4;
  /** No listener when absent: every session is dialled. */
  readonly listen?: readonly ListenConfig[];
  readonly gracefulRestart?: {
    /** Advertised restart time, seconds 0..4095 (RFC 4724 section 3); 120 when the block is absent. */
    readonly restartTimeSeconds: number;
    /**
     * After `start`, nothing is told until all peers have told their own routes, at most so long (RFC 4724
     * section 4.1): a speaker that relays routes needs it, lest its peers drop, or take a worse one for, what
     * it has not learned yet. 0 unless told: right for a speaker that only originates.
     */
    readonly selectionDeferralSeconds?: number;
    /**
     * So long, seconds 1..65535, a peer that came back may take to tell everything again, until what it
     * did not tell goes (the stale timer of RFC 8538 section 4.1); 360 unless told.
     */
    readonly stalePathSeconds?: number;
  };
  /** Use several paths that are equally good (ECMP); the best alone unless told. */
  readonly multipath?: MultipathConfig;
  /**
   * The last messages of each peer are kept (`Speaker.messages`), of all peers together in so many bytes,
   * shared out evenly, 16 KiB to 256 KiB to each; 16 MiB unless told, 0: none.
   */
  readonly keptMessageBytes?: number;
  /**
   * Of an external peer without `importPolicy` nothing is taken, without `exportPolicy` it is told nothing
   * (RFC 8212); an empty list is a policy. False unless told: everything passes.
   */
  readonly requireExternalPolicy?: boolean;
  readonly peers: readonly PeerConfig[];
  /** Everything this speaker originates; the whole set, each time. */
  readonly originate: readonly OriginatedRoute[];
}

/** Of what is originated; what is taken away and added is added. */
export interface OriginatedChange {
  readonly add: readonly OriginatedRoute[];
  readonly remove: readonly Prefix[];
}

/**
 * Which paths are as good as the best: those of equal LOCAL_PREF, AS_PATH length, ORIGIN and MED, internal
 * or external alike, that only the tie breaks (identifiers, addresses) tell from it.
 */
export interface MultipathConfig {
  /** Next hops of one route, 1..256. */
  readonly maximumPaths: number;
  /** AS_PATH need be equally long only, not the same. False unless told. */
  readonly relaxAsPath?: boolean;
}

/** RFC 9234 section 3; `rs` is a route server. */
export type Role = "provider" | "rs" | "rs-client" | "customer" | "peer";

export interface ListenConfig {
  /** Every address of the machine when absent. */
  readonly addresses?: readonly IpAddress[];
  readonly port: number;
  /** Only connections that come in by this network device (SO_BINDTODEVICE). */
  readonly device?: string;
}

/** BFD (RFC 5880, RFC 5881) towards a peer on the same link. */
export interface BfdConfig {
  /** How often this side sends at most, milliseconds 50..60000; 300 unless told. */
  readonly minimumTransmitMs?: number;
  /** How often the peer may send, milliseconds 50..60000; 300 unless told. */
  readonly minimumReceiveMs?: number;
  /** So many packets of ours in a row that the peer misses make the path dead, 1..255; 3 unless told. */
  readonly detectMultiplier?: number;
}

export interface PeerConfig {
  /** Unique and stable; identifies the session across configurations. */
  readonly name: string;
  readonly address: IpAddress;
  /** 179 unless told. */
  readonly port?: number;
  readonly remoteAs: number;
  /** This side's AS towards this peer, which decides what is internal; the speaker's own unless told. */
  readonly localAs?: number;
  /** So many times may our AS stand in the path of what the peer announces (0..255); 0 unless told. */
  readonly allowedLocalAs?: number;
  /** Restart time told to this peer, seconds 0..4095; `gracefulRestart` of the speaker unless told. */
  readonly restartTimeSeconds?: number;
  /** None unless told. */
  readonly longLivedRestart?: LongLivedRestartConfig;
  /** Of what this side dials; the kernel's choice unless told. */
  readonly localAddress?: IpAddress;
  /**
   * Network device by which this side dials (SO_BINDTODEVICE); the kernel's choice unless told. A link-local
   * address (fe80::/10) needs it, and may be that of several peers, each by a device of its own.
   */
  readonly device?: string;
  /**
   * TCP MD5 signatures (RFC 2385), 1..80 bytes. Changing it changes the running session's key: the
   * session stays when the other side does the same within the hold time.
   */
  readonly password?: string;
  /** Time to live of what is sent, 1..255; 255 unless told, so that a peer may use GTSM or not. */
  readonly ttl?: number;
  /**
   * GTSM (RFC 5082): the peer is at most so many hops away, 1..255. What arrives with a time to live
   * of less than 256 minus this is dropped by the kernel; what is sent starts with 255.
   */
  readonly ttlSecurityHops?: number;
  /**
   * Watches the path to a peer on the same link, from its first session on: a path that is dead ends the
   * session at once, and the routes with it. Without BFD on the peer it has no effect. Off unless told.
   */
  readonly bfd?: BfdConfig;
  /** Wait for the peer to dial; never dial it. */
  readonly passive?: boolean;
  /**
   * When it is no longer configured its session ends without a word: the peer keeps our routes for our
   * restart time (RFC 4724), if it still has a session with us configured. Otherwise it drops them at once.
   */
  readonly leaveQuietly?: boolean;
  /** Proposed hold time, seconds: 0 or >= 3; 240 unless told (as BIRD). */
  readonly holdTimeSeconds?: number;
  /** Keepalive interval, seconds; a third of the negotiated hold time unless told. */
  readonly keepaliveSeconds?: number;
  /** 5 unless told (as Calico's BIRD). */
  readonly connectRetrySeconds?: number;
  /**
   * DelayOpen (RFC 4271 section 8.1.4): so long, seconds 0..240, a new connection waits for the peer's OPEN
   * before ours is sent. 0, at once, unless told. Both ends that wait lose the time.
   */
  readonly delayOpenSeconds?: number;
  /**
   * MinRouteAdvertisementInterval (RFC 4271 section 9.2.1.1), seconds 0..65535: changes are told together,
   * so far apart at least. 0, at once, unless told; the RFC suggests 30 for external, 5 for internal peers.
   */
  readonly advertisementIntervalSeconds?: number;
  /** `["ipv4-unicast"]` unless told. */
  readonly families?: readonly AddressFamily[];
  /**
   * Several paths to one prefix (RFC 7911), of all families, each way where the peer does the other half:
   * `receive` takes all it tells; `send` tells it all that are known and may be told, or the best so many.
   * Neither unless told.
   */
  readonly addPath?: { readonly receive?: boolean; readonly send?: "all" | number };
  /**
   * Prefixes of one family (with `addPath`: paths) that the peer may announce; one more ends the session. No limit unless told.
   * Routes that came back to us (our AS or identifier in them) are not counted, as many routers tell an
   * external peer its own routes again; as many of them are kept, to be looked at, and no more.
   */
  readonly maximumPrefixes?: number;
  /** First that accepts or rejects decides; none accepts. Changed under a running session. */
  readonly importPolicy?: readonly PolicyRule[];
  /** Likewise; asked about a route as the peer would be told of it. */
  readonly exportPolicy?: readonly PolicyRule[];
  /**
   * IPv4 routes may have IPv6 next hops (RFC 8950), where the peer offers it too: so IPv4 goes over a
   * session and a fabric of IPv6 alone. False unless told.
   */
  readonly extendedNextHop?: boolean;
  /**
   * What this side is to an external peer (RFC 9234). The session comes up only with the counterpart,
   * or with a peer that tells no role unless `strictRole`; routes that leak are neither taken nor told.
   */
  readonly role?: Role;
  readonly strictRole?: boolean;
  /** `auto`: RFC 4271 5.1.3; `self`: always us; `keep`: never touched. `auto` unless told. */
  readonly nextHop?: "auto" | "self" | "keep";
  /** The peer is our route-reflection client (RFC 4456). */
  readonly routeReflectorClient?: boolean;
}

/** Long-lived graceful restart (RFC 9494), where the peer knows it too: comes after graceful restart. */
export interface LongLivedRestartConfig {
  /** For these alone (RFC 9494 section 5); all of the session unless told. */
  readonly families?: readonly AddressFamily[];
  /** How much longer the peer is asked to keep our routes, seconds 0..2^24-1. */
  readonly staleTimeSeconds: number;
  /** Its routes are kept for as long as it asks for, and no longer than this; no limit unless told. */
  readonly maximumStaleTimeSeconds?: number;
  /**
   * An internal peer that does not know RFC 9494 is told of stale routes, which it would not be: with
   * LOCAL_PREF 0 and NO_EXPORT, so that it prefers any other. False unless told.
   */
  readonly tellUnaware?: boolean;
}

export interface OriginatedRoute {
  readonly prefix: Prefix;
  /** The session's own address when absent. */
  readonly nextHop?: IpAddress;
  readonly communities?: readonly number[];
  /** RFC 8092. */
  readonly largeCommunities?: readonly LargeCommunity[];
  readonly med?: number;
  /** What policies may know it by: the network device it leads to. */
  readonly device?: string;
}

/** The best route to a prefix among those learned. */
export interface LearnedRoute {
  readonly prefix: Prefix;
  readonly nextHop: IpAddress;
  /** Of all paths that are used together (`SpeakerConfig.multipath`), its own first; absent where it is alone. */
  readonly nextHops?: readonly IpAddress[];
  /** Name of the peer it was learned from. */
  readonly peer: string;
  readonly peerType: "ibgp" | "ebgp";
  readonly asPath: readonly number[];
  readonly origin: "igp" | "egp" | "incomplete";
  readonly localPref: number;
  readonly med?: number;
  readonly communities: readonly number[];
  readonly largeCommunities: readonly LargeCommunity[];
  /** RFC 4360: 64 bits each, the type first. */
  readonly extendedCommunities: readonly bigint[];
  /** Kept for a restarting peer (RFC 4724 section 4.2); LLGR_STALE is a community of one kept for longer. */
  readonly stale: boolean;
}

export interface RouteChange {
  readonly prefix: Prefix;
  /** `undefined`: the prefix has no route any more. */
  readonly best: LearnedRoute | undefined;
}
