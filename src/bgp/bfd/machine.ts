/**
 * One BFD session (RFC 5880 section 6.8) in asynchronous mode, pure: `step` maps its variables and an event to
 * the next variables, what to send and whether the state has changed. Timers are the caller's: how long they
 * run is told by {@link transmitIntervalUs} and {@link detectionTimeUs}.
 *
 *   Down --Down--> Init --Init, Up--> Up          on what the other end says its state is
 *     +-----Init---------------------->|
 *     ^---- detection time, Down, AdminDown ------+
 */

import { type BfdPacket, type BfdState, diagnostic } from "./packet.ts";

export interface BfdParameters {
  readonly desiredMinTxUs: number;
  readonly requiredMinRxUs: number;
  readonly detectMultiplier: number;
}

interface Intervals {
  readonly desiredMinTxUs: number;
  readonly requiredMinRxUs: number;
}

/** The variables of section 6.8.1. */
export interface BfdVariables {
  readonly state: BfdState;
  readonly remoteState: BfdState;
  readonly localDiscriminator: number;
  readonly remoteDiscriminator: number;
  /** Why the session left Up last. */
  readonly diagnostic: number;
  /** What our packets say. */
  readonly told: Intervals;
  /** What the other end knows for certain: of two values, the cautious one counts while it is asked. */
  readonly confirmed: Intervals;
  /** A poll sequence (section 6.5) runs; `again`: for values that have changed since it began. */
  readonly poll: "none" | "asking" | "again";
  readonly remoteMinRxUs: number;
  readonly remoteMinTxUs: number;
  readonly remoteMultiplier: number;
  readonly remoteDemand: boolean;
  /** The C bit of the other end. */
  readonly remoteControlPlaneIndependent: boolean;
}

export type BfdEvent =
  | { readonly kind: "packet"; readonly packet: BfdPacket }
  /** Nothing valid was heard for a detection time. */
  | { readonly kind: "detection-time-expired" }
  /** The transmit interval is over. */
  | { readonly kind: "transmit" }
  | { readonly kind: "parameters" }
  | { readonly kind: "disable" };

export interface BfdStep {
  readonly variables: BfdVariables;
  readonly send?: BfdPacket;
}

/** Section 6.8.3: a session that is not Up costs no more than this. */
const SLOW_US = 1_000_000;

export function initialVariables(
  localDiscriminator: number,
  parameters: BfdParameters,
): BfdVariables {
  const told = intervals("Down", parameters);
  return {
    state: "Down",
    remoteState: "Down",
    localDiscriminator,
    remoteDiscriminator: 0,
    diagnostic: diagnostic.none,
    told,
    confirmed: told,
    poll: "none",
    remoteMinRxUs: 1,
    remoteMinTxUs: 0,
    remoteMultiplier: 0,
    remoteDemand: false,
    remoteControlPlaneIndependent: false,
  };
}

export function step(variables: BfdVariables, event: BfdEvent, parameters: BfdParameters): BfdStep {
  switch (event.kind) {
    case "packet":
      return received(variables, event.packet, parameters);
    case "detection-time-expired":
      return unheard(variables, parameters);
    case "transmit":
      return { variables, send: packetOf(variables, parameters) };
    case "parameters":
      return { variables: renewed(variables, parameters) };
    case "disable":
      return moved(variables, "AdminDown", { why: diagnostic.administrativelyDown, parameters });
  }
}

/** Sections 6.8.2 and 6.8.7, without jitter; `undefined`: nothing is sent unasked. */
export function transmitIntervalUs(variables: BfdVariables): number | undefined {
  const { state, remoteState, remoteMinRxUs, remoteDemand, poll, told, confirmed } = variables;
  if (remoteMinRxUs === 0) return undefined;
  if (remoteDemand && state === "Up" && remoteState === "Up" && poll === "none") return undefined;
  // Section 6.8.3: longer only when the other end knows it.
  const own =
    state === "Up" ? Math.min(told.desiredMinTxUs, confirmed.desiredMinTxUs) : told.desiredMinTxUs;
  return Math.max(own, remoteMinRxUs);
}

/** Section 6.8.4. */
export function detectionTimeUs(variables: BfdVariables): number {
  const { state, told, confirmed, remoteMinTxUs, remoteMultiplier } = variables;
  // Section 6.8.3: shorter only when the other end knows it.
  const own =
    state === "Up"
      ? Math.max(told.requiredMinRxUs, confirmed.requiredMinRxUs)
      : told.requiredMinRxUs;
  return remoteMultiplier * Math.max(own, remoteMinTxUs);
}

/** Section 6.8.6, from the packet's place in its session on. */
function received(before: BfdVariables, packet: BfdPacket, parameters: BfdParameters): BfdStep {
  if (before.state === "AdminDown") return { variables: before };
  const heard: BfdVariables = {
    ...before,
    remoteDiscriminator: packet.myDiscriminator,
    remoteState: packet.state,
    remoteDemand: packet.demand,
    remoteMinRxUs: packet.requiredMinRxUs,
    remoteMinTxUs: packet.desiredMinTxUs,
    remoteMultiplier: packet.detectMultiplier,
    remoteControlPlaneIndependent: packet.controlPlaneIndependent,
    ...(packet.final ? pollAnswered(before) : {}),
  };
  const next = nextState(before.state, packet.state);
  const why = reasons[next] ?? before.diagnostic;
  const { variables, send } =
    next === before.state ? { variables: heard } : moved(heard, next, { why, parameters });
  // Section 6.5: an answer goes at once, and says the new state as well.
  if (packet.poll) return { variables, send: answerOf(variables, parameters) };
  return { variables, ...(send ? { send } : {}) };
}

/** Of what a packet has moved; a session that begins says still why it ended. */
const reasons: Partial<Record<BfdState, number>> = {
  Down: diagnostic.neighborSignaledDown,
  Up: diagnostic.none,
};

function nextState(own: BfdState, remote: BfdState): BfdState {
  if (remote === "AdminDown") return "Down";
  switch (own) {
    case "Down":
      if (remote === "Down") return "Init";
      return remote === "Init" ? "Up" : "Down";
    case "Init":
      return remote === "Down" ? "Init" : "Up";
    default:
      return remote === "Down" ? "Down" : own;
  }
}

function pollAnswered({ poll, told }: BfdVariables): Partial<BfdVariables> {
  if (poll === "asking") return { poll: "none", confirmed: told };
  return poll === "again" ? { poll: "asking" } : {};
}

function unheard(before: BfdVariables, parameters: BfdParameters): BfdStep {
  if (before.state === "AdminDown") return { variables: before };
  // Section 6.8.1: it may come back as another session, of which nothing is known.
  const silent: BfdVariables = {
    ...before,
    remoteState: "Down",
    remoteDiscriminator: 0,
    remoteDemand: false,
    remoteMinRxUs: 1,
    poll: "none",
  };
  if (before.state === "Down") return { variables: silent };
  return moved(silent, "Down", { why: diagnostic.detectionTimeExpired, parameters });
}

/** Section 6.8.7: what has changed is told at once. */
function moved(
  before: BfdVariables,
  state: BfdState,
  { why, parameters }: { readonly why: number; readonly parameters: BfdParameters },
): BfdStep {
  const variables = renewed({ ...before, state, diagnostic: why }, parameters);
  return { variables, send: packetOf(variables, parameters) };
}

/** Section 6.8.3: other intervals are told, and asked whether they have been heard. */
function renewed(before: BfdVariables, parameters: BfdParameters): BfdVariables {
  const told = intervals(before.state, parameters);
  if (
    told.desiredMinTxUs === before.told.desiredMinTxUs &&
    told.requiredMinRxUs === before.told.requiredMinRxUs
  ) {
    return before;
  }
  if (before.remoteDiscriminator === 0) return { ...before, told, confirmed: told };
  return { ...before, told, poll: before.poll === "none" ? "asking" : "again" };
}

function intervals(state: BfdState, parameters: BfdParameters): Intervals {
  const { desiredMinTxUs, requiredMinRxUs } = parameters;
  const slow = state === "Up" ? 0 : SLOW_US;
  return { desiredMinTxUs: Math.max(desiredMinTxUs, slow), requiredMinRxUs };
}

function packetOf(variables: BfdVariables, { detectMultiplier }: BfdParameters): BfdPacket {
  return {
    diagnostic: variables.diagnostic,
    state: variables.state,
    poll: variables.poll !== "none" && variables.state !== "AdminDown",
    final: false,
    // This process is the control plane.
    controlPlaneIndependent: false,
    demand: false,
    detectMultiplier,
    myDiscriminator: variables.localDiscriminator,
    yourDiscriminator: variables.remoteDiscriminator,
    ...variables.told,
  };
}

/** Section 6.5: never both bits. */
function answerOf(variables: BfdVariables, parameters: BfdParameters): BfdPacket {
  return { ...packetOf(variables, parameters), poll: false, final: true };
}
