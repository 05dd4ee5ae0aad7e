/**
 * The configuration file: SpeakerConfig as text. Fields have the names of src/bgp/types.ts, and a field
 * that is missing here is an error of the compiler; ranges are the speaker's own to check.
 */

import { z } from "zod";
import type {
  BfdConfig,
  ListenConfig,
  LongLivedRestartConfig,
  MultipathConfig,
  OriginatedRoute,
  PeerConfig,
  PolicyRule,
  PrefixMatch,
  RouteChanges,
  SpeakerConfig,
} from "../bgp/index.ts";
import { address, community, identifier, largeCommunity, prefix, whole } from "./values.ts";

type Fields<T> = { readonly [K in keyof T]-?: z.ZodType };

const flag = z.boolean().optional();
const number = whole.optional();
const asNumbers = z.array(whole).optional();

const prefixMatch = z.strictObject({
  prefix,
  minimumLength: number,
  maximumLength: number,
} satisfies Fields<PrefixMatch>);

const listChanges = <T extends z.ZodType>(item: T) =>
  z.strictObject({
    replace: z.array(item).optional(),
    remove: z.array(item).optional(),
    add: z.array(item).optional(),
  });

const routeChanges = z.strictObject({
  localPref: number,
  med: number,
  nextHop: address.optional(),
  communities: listChanges(community).optional(),
  largeCommunities: listChanges(largeCommunity).optional(),
  prependAsPath: asNumbers,
} satisfies Fields<RouteChanges>);

const rule = z.strictObject({
  prefixes: z.array(prefixMatch).optional(),
  notPrefixes: z.array(prefixMatch).optional(),
  source: z.enum(["originated", "ibgp", "ebgp", "learned"]).optional(),
  peerType: z.enum(["ibgp", "ebgp"]).optional(),
  communities: z.array(community).optional(),
  largeCommunities: z.array(largeCommunity).optional(),
  asPathPrefix: asNumbers,
  asPathContains: asNumbers,
  nextHops: z.array(prefix).optional(),
  localPref: number,
  devices: z.array(z.string()).optional(),
  action: z.enum(["accept", "reject", "continue"]),
  set: routeChanges.optional(),
} satisfies Fields<PolicyRule>);

const bfd = z.strictObject({
  minimumTransmitMs: number,
  minimumReceiveMs: number,
  detectMultiplier: number,
} satisfies Fields<BfdConfig>);

const families = z.array(z.enum(["ipv4-unicast", "ipv6-unicast"]));

const longLivedRestart = z.strictObject({
  staleTimeSeconds: whole,
  maximumStaleTimeSeconds: number,
  tellUnaware: flag,
  families: families.optional(),
} satisfies Fields<LongLivedRestartConfig>);

const addPath = z.strictObject({
  receive: flag,
  send: z.union([z.literal("all"), whole]).optional(),
} satisfies Fields<NonNullable<PeerConfig["addPath"]>>);

const peerFields = {
  name: z.string().min(1),
  address,
  port: number,
  remoteAs: whole,
  localAs: number,
  allowedLocalAs: number,
  restartTimeSeconds: number,
  longLivedRestart: longLivedRestart.optional(),
  localAddress: address.optional(),
  device: z.string().optional(),
  password: z.string().optional(),
  ttl: number,
  ttlSecurityHops: number,
  bfd: bfd.optional(),
  passive: flag,
  leaveQuietly: flag,
  holdTimeSeconds: number,
  keepaliveSeconds: number,
  connectRetrySeconds: number,
  delayOpenSeconds: number,
  advertisementIntervalSeconds: number,
  families: families.optional(),
  addPath: addPath.optional(),
  maximumPrefixes: number,
  importPolicy: z.array(rule).optional(),
  exportPolicy: z.array(rule).optional(),
  extendedNextHop: flag,
  role: z.enum(["provider", "rs", "rs-client", "customer", "peer"]).optional(),
  strictRole: flag,
  nextHop: z.enum(["auto", "self", "keep"]).optional(),
  routeReflectorClient: flag,
} satisfies Fields<PeerConfig>;

const peer = z.strictObject({ ...peerFields, passwordFile: z.string().optional() });

const listen = z.strictObject({
  addresses: z.array(address).optional(),
  port: whole,
  device: z.string().optional(),
} satisfies Fields<ListenConfig>);

const originated = z.strictObject({
  prefix,
  nextHop: address.optional(),
  communities: z.array(community).optional(),
  largeCommunities: z.array(largeCommunity).optional(),
  med: number,
  device: z.string().optional(),
} satisfies Fields<OriginatedRoute>);

const gracefulRestart = z.strictObject({
  restartTimeSeconds: whole,
  selectionDeferralSeconds: number,
  stalePathSeconds: number,
} satisfies Fields<NonNullable<SpeakerConfig["gracefulRestart"]>>);

const multipath = z.strictObject({
  maximumPaths: whole,
  relaxAsPath: flag,
} satisfies Fields<MultipathConfig>);

const speakerFields = {
  localAs: whole,
  routerId: identifier,
  clusterId: identifier.optional(),
  listen: z.array(listen).optional(),
  gracefulRestart: gracefulRestart.optional(),
  multipath: multipath.optional(),
  keptMessageBytes: number,
  requireExternalPolicy: flag,
  peers: z.array(peer),
  originate: z.array(originated).default([]),
} satisfies Fields<SpeakerConfig>;

export const fileSchema = z.strictObject({
  ...speakerFields,
  logLevel: z.enum(["fatal", "error", "warn", "info", "debug", "trace"]).optional(),
});

export type FileFields = z.output<typeof fileSchema>;

const blocks: readonly z.ZodObject[] = [
  ...[fileSchema, gracefulRestart, multipath, listen, peer, bfd, longLivedRestart, addPath],
  ...[rule, prefixMatch, routeChanges, listChanges(community), originated],
];

/** Every field there is; `docs/reference/bgpd.md` names them. */
export const allFields: readonly string[] = [
  ...new Set(blocks.flatMap((block) => Object.keys(block.shape))),
];
