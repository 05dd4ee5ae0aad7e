/** Capabilities in OPEN (RFC 5492), one union member each; what is not known is kept and ignored. */

import type { Role } from "../types.ts";
import { readUint16, readUint32, uint16, uint32 } from "./bytes.ts";
import { type AfiSafi, capabilityCode } from "./constants.ts";
import { ProtocolError } from "./notification.ts";

export type Capability =
  | ({ readonly kind: "multiprotocol" } & AfiSafi)
  | { readonly kind: "route-refresh" }
  | { readonly kind: "enhanced-route-refresh" }
  | { readonly kind: "extended-message" }
  | { readonly kind: "four-octet-as"; readonly as: number }
  | GracefulRestartCapability
  | ExtendedNextHopCapability
  | RoleCapability
  | AddPathCapability
  | LongLivedRestartCapability
  | { readonly kind: "unknown"; readonly code: number; readonly data: Uint8Array };

/** RFC 8950 section 4: NLRI of a family may have a next hop of another. */
export interface ExtendedNextHopCapability {
  readonly kind: "extended-next-hop";
  readonly entries: readonly (AfiSafi & { readonly nextHopAfi: number })[];
}

/** RFC 9234 section 4.1: what the sender is to the receiver; a number nobody assigned is `unknown`. */
export interface RoleCapability {
  readonly kind: "role";
  readonly role: Role | "unknown";
}

/** RFC 7911 section 4: of which families the sender takes, or tells, several paths to a prefix. */
export interface AddPathCapability {
  readonly kind: "add-path";
  readonly entries: readonly (AfiSafi & { readonly mode: "receive" | "send" | "both" })[];
}

/** RFC 9494 section 3: how much longer each family's routes are to be kept. */
export interface LongLivedRestartCapability {
  readonly kind: "long-lived-graceful-restart";
  readonly families: readonly (AfiSafi & {
    /** F: forwarding state was preserved. */
    readonly forwarding: boolean;
    /** 0..2^24-1. */
    readonly staleTimeSeconds: number;
  })[];
}

/** By the numbers on the wire, from 1. */
const addPathModes = ["receive", "send", "both"] as const;

/** By the numbers on the wire. */
const roles: readonly Role[] = ["provider", "rs", "rs-client", "customer", "peer"];

/** RFC 4724 section 3; the N bit is RFC 8538 section 2. */
export interface GracefulRestartCapability {
  readonly kind: "graceful-restart";
  /** R: the sender has restarted. */
  readonly restarted: boolean;
  /** N: NOTIFICATIONs other than a hard reset keep routes too. */
  readonly notification: boolean;
  /** 0..4095. */
  readonly restartTimeSeconds: number;
  readonly families: readonly (AfiSafi & {
    /** F: forwarding state was preserved. */
    readonly forwarding: boolean;
  })[];
}

const RESTARTED = 0x8000;
const NOTIFICATION = 0x4000;
const FORWARDING = 0x80;
const LONG_LIVED_BYTES = 7;

/** Code, length and value. */
export function encodeCapability(capability: Capability): Uint8Array {
  const [code, value] = parts(capability);
  const bytes = new Uint8Array(2 + value.length);
  bytes[0] = code;
  bytes[1] = value.length;
  bytes.set(value, 2);
  return bytes;
}

function parts(capability: Capability): [code: number, value: Uint8Array] {
  const none = new Uint8Array(0);
  switch (capability.kind) {
    case "multiprotocol":
      return [
        capabilityCode.multiprotocol,
        Uint8Array.of(...uint16(capability.afi), 0, capability.safi),
      ];
    case "route-refresh":
      return [capabilityCode.routeRefresh, none];
    case "enhanced-route-refresh":
      return [capabilityCode.enhancedRouteRefresh, none];
    case "extended-message":
      return [capabilityCode.extendedMessage, none];
    case "four-octet-as":
      return [capabilityCode.fourOctetAs, uint32(capability.as)];
    case "graceful-restart":
      return [capabilityCode.gracefulRestart, encodeGracefulRestart(capability)];
    case "extended-next-hop":
      return [
        capabilityCode.extendedNextHop,
        Uint8Array.from(
          capability.entries.flatMap(({ afi, safi, nextHopAfi }) => [
            ...uint16(afi),
            ...uint16(safi),
            ...uint16(nextHopAfi),
          ]),
        ),
      ];
    case "role":
      return [
        capabilityCode.role,
        Uint8Array.of(capability.role === "unknown" ? 255 : roles.indexOf(capability.role)),
      ];
    case "add-path":
      return [
        capabilityCode.addPath,
        Uint8Array.from(
          capability.entries.flatMap(({ afi, safi, mode }) => [
            ...uint16(afi),
            safi,
            addPathModes.indexOf(mode) + 1,
          ]),
        ),
      ];
    case "long-lived-graceful-restart":
      return [
        capabilityCode.longLivedGracefulRestart,
        Uint8Array.from(
          capability.families.flatMap(({ afi, safi, forwarding, staleTimeSeconds }) => [
            ...uint16(afi),
            ...[safi, forwarding ? FORWARDING : 0],
            ...uint32(staleTimeSeconds).subarray(1),
          ]),
        ),
      ];
    case "unknown":
      return [capability.code, capability.data];
  }
}

function encodeGracefulRestart(capability: GracefulRestartCapability): Uint8Array {
  const flags =
    (capability.restarted ? RESTARTED : 0) | (capability.notification ? NOTIFICATION : 0);
  const bytes = [...uint16(flags | capability.restartTimeSeconds)];
  for (const { afi, safi, forwarding } of capability.families) {
    bytes.push(...uint16(afi), safi, forwarding ? FORWARDING : 0);
  }
  return Uint8Array.from(bytes);
}

/** Reads the value of one capabilities parameter. @throws ProtocolError */
export function decodeCapabilities(bytes: Uint8Array): Capability[] {
  const capabilities: Capability[] = [];
  let at = 0;
  while (at < bytes.length) {
    const code = bytes[at]!;
    const length = bytes[at + 1];
    if (length === undefined || at + 2 + length > bytes.length) {
      throw new ProtocolError("openUnspecific", `capability ${code} runs past its parameter`);
    }
    capabilities.push(decodeCapability(code, bytes.subarray(at + 2, at + 2 + length)));
    at += 2 + length;
  }
  return capabilities;
}

function decodeCapability(code: number, value: Uint8Array): Capability {
  switch (code) {
    case capabilityCode.multiprotocol:
      expectLength(value.length === 4, code, value);
      return { kind: "multiprotocol", afi: readUint16(value, 0), safi: value[3]! };
    case capabilityCode.fourOctetAs:
      expectLength(value.length === 4, code, value);
      return { kind: "four-octet-as", as: readUint32(value, 0) };
    case capabilityCode.gracefulRestart:
      expectLength(value.length % 4 === 2, code, value);
      return decodeGracefulRestart(value);
    case capabilityCode.extendedNextHop:
      expectLength(value.length % 6 === 0, code, value);
      return { kind: "extended-next-hop", entries: decodeExtendedNextHop(value) };
    case capabilityCode.role:
      expectLength(value.length === 1, code, value);
      return { kind: "role", role: roles[value[0]!] ?? "unknown" };
    case capabilityCode.addPath: {
      expectLength(value.length % 4 === 0, code, value);
      const entries = decodeAddPath(value);
      if (entries) return { kind: "add-path", entries };
      break;
    }
    case capabilityCode.longLivedGracefulRestart:
      expectLength(value.length % LONG_LIVED_BYTES === 0, code, value);
      return { kind: "long-lived-graceful-restart", families: decodeLongLived(value) };
    // RFC 2918, 7313 and 8654 give these no value; one with a value is some other thing: ignored.
    case capabilityCode.routeRefresh:
      if (value.length === 0) return { kind: "route-refresh" };
      break;
    case capabilityCode.enhancedRouteRefresh:
      if (value.length === 0) return { kind: "enhanced-route-refresh" };
      break;
    case capabilityCode.extendedMessage:
      if (value.length === 0) return { kind: "extended-message" };
      break;
  }
  return { kind: "unknown", code, data: value.slice() };
}

function decodeExtendedNextHop(value: Uint8Array): ExtendedNextHopCapability["entries"] {
  const entries: ExtendedNextHopCapability["entries"][number][] = [];
  for (let at = 0; at < value.length; at += 6) {
    entries.push({
      afi: readUint16(value, at),
      safi: readUint16(value, at + 2),
      nextHopAfi: readUint16(value, at + 4),
    });
  }
  return entries;
}

/** `undefined`: a mode nobody knows; the capability is then ignored (RFC 7911 section 4). */
function decodeAddPath(value: Uint8Array): AddPathCapability["entries"] | undefined {
  const entries: AddPathCapability["entries"][number][] = [];
  for (let at = 0; at < value.length; at += 4) {
    const mode = addPathModes[value[at + 3]! - 1];
    if (mode === undefined) return undefined;
    entries.push({ afi: readUint16(value, at), safi: value[at + 2]!, mode });
  }
  return entries;
}

function decodeLongLived(value: Uint8Array): LongLivedRestartCapability["families"] {
  const families: LongLivedRestartCapability["families"][number][] = [];
  for (let at = 0; at < value.length; at += LONG_LIVED_BYTES) {
    families.push({
      afi: readUint16(value, at),
      safi: value[at + 2]!,
      forwarding: (value[at + 3]! & FORWARDING) !== 0,
      staleTimeSeconds: readUint32(value, at + 3) & 0xffffff,
    });
  }
  return families;
}

function decodeGracefulRestart(value: Uint8Array): GracefulRestartCapability {
  const head = readUint16(value, 0);
  const families: GracefulRestartCapability["families"][number][] = [];
  for (let at = 2; at < value.length; at += 4) {
    families.push({
      afi: readUint16(value, at),
      safi: value[at + 2]!,
      forwarding: (value[at + 3]! & FORWARDING) !== 0,
    });
  }
  return {
    kind: "graceful-restart",
    restarted: (head & RESTARTED) !== 0,
    notification: (head & NOTIFICATION) !== 0,
    restartTimeSeconds: head & 0x0fff,
    families,
  };
}

function expectLength(good: boolean, code: number, value: Uint8Array): void {
  if (!good) {
    throw new ProtocolError("openUnspecific", `capability ${code} has ${value.length} bytes`);
  }
}
