/** A configuration checked and completed with its defaults, and what of it a session depends on. */

import {
  errorText,
  formatPrefix,
  type IpAddress,
  isMasked,
  SwitchyardError,
} from "../lib/index.ts";
import { isLinkLocal, placeOf } from "./place.ts";
import { policyProblem } from "./policy/index.ts";
import type { SessionParameters } from "./session/index.ts";
import type {
  AddressFamily,
  BfdConfig,
  LongLivedRestartConfig,
  OriginatedRoute,
  PeerConfig,
  PolicyRule,
  SpeakerConfig,
} from "./types.ts";

const DEFAULT_PORT = 179;
/** More than switches and kernels of today use together. */
const MAXIMUM_NEXT_HOPS = 256;
const DEFAULT_HOLD_SECONDS = 240;
const DEFAULT_CONNECT_RETRY_SECONDS = 5;
/** As BIRD and FRR. */
const DEFAULT_RESTART_SECONDS = 120;
/** As FRR; RFC 8538 section 4.1 suggests 180, which is short for a peer with a whole table. */
const DEFAULT_STALE_PATH_SECONDS = 360;

/** @throws SwitchyardError INVALID_ARGUMENT that names the field */
export function checkConfig(config: SpeakerConfig): void {
  checkAs("localAs", config.localAs);
  check(config.routerId > 0, "routerId", "0.0.0.0 is no BGP identifier");
  const restart = restartTimeSeconds(config);
  checkRange("gracefulRestart.restartTimeSeconds", restart, [0, 4095]);
  const deferral = config.gracefulRestart?.selectionDeferralSeconds ?? 0;
  checkRange("gracefulRestart.selectionDeferralSeconds", deferral, [0, 4095]);
  checkRange("gracefulRestart.stalePathSeconds", stalePathSeconds(config), [1, 65535]);
  const { maximumPaths = 1 } = config.multipath ?? {};
  checkRange("multipath.maximumPaths", maximumPaths, [1, MAXIMUM_NEXT_HOPS]);
  checkRange("keptMessageBytes", config.keptMessageBytes ?? 0, [0, 2 ** 32]);
  const names = new Set<string>();
  const places = new Map<string, string>();
  const keys = new Map<IpAddress, PeerConfig>();
  for (const peer of config.peers) {
    checkPeer(peer);
    check(!names.has(peer.name), "peers", `the name ${peer.name} appears twice`);
    names.add(peer.name);
    const place = placeOf(peer);
    const other = places.get(place);
    check(other === undefined, "peers", `${other} and ${peer.name} have one address, ${place}`);
    places.set(place, peer.name);
    // The kernel looks for keys by the address alone.
    const first = keys.get(peer.address) ?? peer;
    const alike = first.password === peer.password;
    check(alike, "peers", `${first.name} and ${peer.name} have one address and two passwords`);
    keys.set(peer.address, peer);
  }
  checkOriginated(config.originate);
}

/** @throws SwitchyardError INVALID_ARGUMENT that names the field */
export function checkOriginated(routes: readonly OriginatedRoute[]): void {
  for (const { prefix, largeCommunities = [] } of routes) {
    for (const part of largeCommunities.flat()) {
      checkRange("originate.largeCommunities", part, [0, 0xffffffff]);
    }
    // The text only when it is needed: there may be a hundred thousand.
    if (!isMasked(prefix)) check(false, "originate", `${formatPrefix(prefix)} has host bits`);
  }
}

/** Why a configuration with this peer would be refused; undefined if it would not be because of it. */
export function peerProblem(peer: PeerConfig): string | undefined {
  try {
    checkPeer(peer);
    return undefined;
  } catch (error) {
    return errorText(error);
  }
}

function checkPeer(peer: PeerConfig): void {
  const at = `peers.${peer.name}`;
  checkAs(`${at}.remoteAs`, peer.remoteAs);
  if (peer.localAs !== undefined) checkAs(`${at}.localAs`, peer.localAs);
  checkRange(`${at}.allowedLocalAs`, peer.allowedLocalAs ?? 0, [0, 255]);
  checkRange(`${at}.restartTimeSeconds`, peer.restartTimeSeconds ?? 0, [0, 4095]);
  const hold = peer.holdTimeSeconds ?? DEFAULT_HOLD_SECONDS;
  if (hold !== 0) checkRange(`${at}.holdTimeSeconds`, hold, [3, 65535]);
  checkRange(`${at}.port`, peer.port ?? DEFAULT_PORT, [1, 65535]);
  if (peer.keepaliveSeconds !== undefined) {
    checkRange(`${at}.keepaliveSeconds`, peer.keepaliveSeconds, [1, 65535]);
  }
  if (peer.connectRetrySeconds !== undefined) {
    checkRange(`${at}.connectRetrySeconds`, peer.connectRetrySeconds, [1, 65535]);
  }
  checkRange(`${at}.delayOpenSeconds`, peer.delayOpenSeconds ?? 0, [0, 240]);
  checkRange(`${at}.maximumPrefixes`, peer.maximumPrefixes ?? 1, [1, 0xffffffff]);
  const longLived = peer.longLivedRestart;
  for (const field of ["staleTimeSeconds", "maximumStaleTimeSeconds"] as const) {
    checkRange(`${at}.longLivedRestart.${field}`, longLived?.[field] ?? 0, [0, 0xffffff]);
  }
  const send = peer.addPath?.send ?? "all";
  if (send !== "all") checkRange(`${at}.addPath.send`, send, [1, 0xffffffff]);
  const interval = peer.advertisementIntervalSeconds ?? 0;
  checkRange(`${at}.advertisementIntervalSeconds`, interval, [0, 65535]);
  checkSocketOptions(at, peer);
  const known = peer.device !== undefined || !isLinkLocal(peer.address);
  check(known, `${at}.device`, "a link-local address says nothing without one");
  checkPolicy(`${at}.importPolicy`, peer.importPolicy);
  checkPolicy(`${at}.exportPolicy`, peer.exportPolicy);
  if (peer.bfd) checkBfd(`${at}.bfd`, peer.bfd);
  check(peer.families?.length !== 0, `${at}.families`, "no family");
}

const MAXIMUM_PASSWORD_BYTES = 80;
const MAXIMUM_TTL = 255;

function checkSocketOptions(at: string, { password, ttl, ttlSecurityHops }: PeerConfig): void {
  if (password !== undefined) {
    const { length } = new TextEncoder().encode(password);
    const good = length > 0 && length <= MAXIMUM_PASSWORD_BYTES;
    check(good, `${at}.password`, `${length} bytes; TCP MD5 takes 1 to ${MAXIMUM_PASSWORD_BYTES}`);
  }
  if (ttl !== undefined) checkRange(`${at}.ttl`, ttl, [1, MAXIMUM_TTL]);
  if (ttlSecurityHops === undefined) return;
  checkRange(`${at}.ttlSecurityHops`, ttlSecurityHops, [1, MAXIMUM_TTL]);
  check(ttl === undefined, `${at}.ttl`, "with ttlSecurityHops it is 255");
}

function checkPolicy(field: string, rules: readonly PolicyRule[] | undefined): void {
  const problem = policyProblem(rules);
  check(problem === undefined, field, problem ?? "");
}

const BFD_INTERVALS_MS: [number, number] = [50, 60_000];

function checkBfd(at: string, bfd: BfdConfig): void {
  checkRange(`${at}.minimumTransmitMs`, bfd.minimumTransmitMs ?? 300, BFD_INTERVALS_MS);
  checkRange(`${at}.minimumReceiveMs`, bfd.minimumReceiveMs ?? 300, BFD_INTERVALS_MS);
  checkRange(`${at}.detectMultiplier`, bfd.detectMultiplier ?? 3, [1, 255]);
}

function checkAs(field: string, as: number): void {
  checkRange(field, as, [1, 0xffffffff]);
}

function checkRange(field: string, value: number, [lowest, highest]: [number, number]): void {
  const good = Number.isInteger(value) && value >= lowest && value <= highest;
  check(good, field, `${value} is not a whole number from ${lowest} to ${highest}`);
}

function check(good: boolean, field: string, problem: string): void {
  if (!good)
    throw new SwitchyardError("INVALID_ARGUMENT", `BGP configuration: ${field}: ${problem}`);
}

export function restartTimeSeconds(config: SpeakerConfig): number {
  return config.gracefulRestart?.restartTimeSeconds ?? DEFAULT_RESTART_SECONDS;
}

export function stalePathSeconds(config: SpeakerConfig): number {
  return config.gracefulRestart?.stalePathSeconds ?? DEFAULT_STALE_PATH_SECONDS;
}

const KEPT_MESSAGE_BYTES = 16 * 2 ** 20;
const LARGEST_RING_BYTES = 256 * 1024;
/** Half of it has room for an ordinary message of the largest size. */
const SMALLEST_RING_BYTES = 16 * 1024;

/** Of each peer. */
export function ringBytes({ keptMessageBytes = KEPT_MESSAGE_BYTES, peers }: SpeakerConfig): number {
  if (keptMessageBytes === 0) return 0;
  const share = Math.floor(keptMessageBytes / Math.max(1, peers.length));
  return Math.min(LARGEST_RING_BYTES, Math.max(SMALLEST_RING_BYTES, share));
}

const rejectAll: readonly PolicyRule[] = [{ action: "reject" }];

/** With the policies that they have without being told. */
export function peersOf(config: SpeakerConfig): readonly PeerConfig[] {
  if (!config.requireExternalPolicy) return config.peers;
  return config.peers.map((peer) => {
    if (peer.remoteAs === (peer.localAs ?? config.localAs)) return peer;
    const { importPolicy = rejectAll, exportPolicy = rejectAll } = peer;
    return { ...peer, importPolicy, exportPolicy };
  });
}

/** Everything whose change takes a new session. */
export function sessionParameters(config: SpeakerConfig, peer: PeerConfig): SessionParameters {
  return {
    address: peer.address,
    port: peer.port ?? DEFAULT_PORT,
    passive: peer.passive ?? false,
    localAs: peer.localAs ?? config.localAs,
    allowedLocalAs: peer.allowedLocalAs ?? 0,
    routerId: config.routerId,
    clusterId: config.clusterId ?? config.routerId,
    remoteAs: peer.remoteAs,
    holdTimeSeconds: peer.holdTimeSeconds ?? DEFAULT_HOLD_SECONDS,
    connectRetrySeconds: peer.connectRetrySeconds ?? DEFAULT_CONNECT_RETRY_SECONDS,
    delayOpenSeconds: peer.delayOpenSeconds ?? 0,
    families: peer.families ?? ["ipv4-unicast"],
    extendedNextHop: peer.extendedNextHop ?? false,
    strictRole: peer.strictRole ?? false,
    ...longLivedParameters(peer),
    ...(peer.addPath?.receive ? { addPathReceive: true } : {}),
    ...(peer.addPath?.send === undefined ? {} : { addPathSend: true }),
    ...(peer.role === undefined ? {} : { role: peer.role }),
    restartTimeSeconds: peer.restartTimeSeconds ?? restartTimeSeconds(config),
    ...socketParameters(peer),
    ...(peer.keepaliveSeconds === undefined ? {} : { keepaliveSeconds: peer.keepaliveSeconds }),
  };
}

function longLivedParameters({ longLivedRestart, families = ["ipv4-unicast"] }: PeerConfig) {
  if (longLivedRestart === undefined) return {};
  const { staleTimeSeconds: longLivedStaleTimeSeconds } = longLivedRestart;
  const longLivedFamilies = families.filter((family) => keepsLonger(longLivedRestart, family));
  return { longLivedStaleTimeSeconds, longLivedFamilies };
}

export function keepsLonger({ families }: LongLivedRestartConfig, family: AddressFamily): boolean {
  return families === undefined || families.includes(family);
}

function socketParameters({ localAddress, device, ttl, ttlSecurityHops: hops }: PeerConfig) {
  return {
    ...(localAddress === undefined ? {} : { localAddress }),
    ...(device === undefined ? {} : { device }),
    ttl: ttl ?? MAXIMUM_TTL,
    ...(hops === undefined ? {} : { minimumTtl: MAXIMUM_TTL + 1 - hops }),
  };
}

/** The keys that the kernel is to ask for when somebody dials this speaker. */
export function passwords(config: SpeakerConfig): ReadonlyMap<IpAddress, string> {
  return new Map(
    config.peers.flatMap(({ address, password }) =>
      password === undefined ? [] : [[address, password] as const],
    ),
  );
}

/** By the names they have in the configuration. */
export function changedFields(before: SessionParameters, after: SessionParameters): string[] {
  const names = [...Object.keys(before), ...Object.keys(after)] as (keyof SessionParameters)[];
  const changed = names.filter((name) => !sameData(before[name], after[name]));
  return [...new Set(changed.map((name) => configured[name] ?? name))];
}

const configured: { readonly [K in keyof SessionParameters]?: keyof PeerConfig } = {
  minimumTtl: "ttlSecurityHops",
  addPathReceive: "addPath",
  addPathSend: "addPath",
  longLivedStaleTimeSeconds: "longLivedRestart",
  longLivedFamilies: "longLivedRestart",
};

/**
 * Structural equality of plain data; what is absent and what is undefined are the same. A thousand peers may
 * share one list of rules, so that no text is made of them to see that nothing has changed.
 */
export function sameData(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [one, other] = [a as Record<string, unknown>, b as Record<string, unknown>];
  for (const key in one) if (!sameData(one[key], other[key])) return false;
  for (const key in other) if (other[key] !== undefined && one[key] === undefined) return false;
  return true;
}
