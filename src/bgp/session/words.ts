/**
 * Why a session ended or a connection was not had, for an operator: who did it, what was said, and what
 * is likely to be wrong. What the other side or the kernel said itself always stands there as well.
 */

import { formatAddress } from "../../lib/index.ts";
import type { EndedBy, SessionState } from "../types.ts";
import { explainNotification, type Notification } from "../wire/index.ts";
import { canDoWithoutCapabilities, type SessionParameters } from "./parameters.ts";

export interface TcpFailure {
  readonly by: EndedBy;
  /** One of a few: for counting. */
  readonly name: string;
  readonly reason: string;
}

/** OPEN errors carry no data: what this side had told explains them. */
const told: Readonly<Record<string, (parameters: SessionParameters) => string>> = {
  "2/2": ({ localAs, remoteAs }) =>
    `we told AS ${localAs}, and have AS ${remoteAs} configured for the peer`,
  "2/3": ({ routerId }) => `we told the identifier ${formatAddress(routerId)}`,
  "2/4": (parameters) => {
    if (parameters.withoutCapabilities) return "we told none";
    return canDoWithoutCapabilities(parameters)
      ? "the next OPEN goes without capabilities"
      : `${parameters.families.join(", ")} cannot do without capabilities`;
  },
  "2/6": ({ holdTimeSeconds }) => `we told a hold time of ${holdTimeSeconds} s`,
  "2/7": ({ families }) => `we told ${families.join(", ")}`,
  "2/11": ({ role }) => `we told ${role === undefined ? "no role" : `the role ${role}`}`,
};

export function receivedWords(message: Notification, parameters: SessionParameters): string {
  const own = told[`${message.code}/${message.subcode}`]?.(parameters);
  return `received ${explainNotification(message)}${own === undefined ? "" : `: ${own}`}`;
}

export interface Attempt {
  readonly parameters: SessionParameters;
  /** In which it was. */
  readonly state: SessionState;
  /** TCP MD5 is configured. */
  readonly password: boolean;
}

/** `text` as the kernel's name of it stands in there; empty where the other side just closed. */
export function tcpFailure(text: string, attempt: Attempt): TcpFailure {
  // Our port is another one at each attempt, and says nothing.
  const error = text.replace(/ - Local \(.*\)$/, "");
  if (error === "") {
    const reason = `the peer closed the connection${beforeOpen(attempt)}`;
    return { by: "peer", name: "connection closed", reason };
  }
  const errno = /\bE[A-Z0-9]{3,}\b/.exec(error)?.[0] ?? "";
  const failure = failures[errno]?.(attempt);
  if (failure === undefined) return { by: "network", name: "TCP error", reason: error };
  return { ...failure, reason: `${failure.reason} (${error})` };
}

const noRoute = ({ parameters }: Attempt): TcpFailure => ({
  ...{ by: "network", name: "no route", reason: `no way to ${placeOf(parameters)}` },
});

const reset = (attempt: Attempt): TcpFailure => ({
  ...{ by: "peer", name: "connection reset" },
  reason: `the peer reset the connection${beforeOpen(attempt)}`,
});

const noDescriptors = (): TcpFailure => ({
  ...{ by: "us", name: "no descriptors", reason: "this process has no file descriptor left" },
});

/** By the kernel's name. */
const failures: Readonly<Record<string, (attempt: Attempt) => TcpFailure>> = {
  ECONNREFUSED: ({ parameters }) => ({
    ...{
      by: "peer",
      name: "connection refused",
      reason: `nobody listens at ${placeOf(parameters)}`,
    },
  }),
  ECONNRESET: reset,
  EPIPE: reset,
  EHOSTUNREACH: noRoute,
  ENETUNREACH: noRoute,
  ETIMEDOUT: (attempt) =>
    attempt.state === "Connect"
      ? noAnswer(attempt)
      : { by: "network", name: "no answer", reason: "the peer acknowledged nothing any more" },
  EINVAL: ({ parameters }) => ({
    ...{ by: "us", name: "local address" },
    reason: `no packet can go from ${ownAddress(parameters)} to ${placeOf(parameters)}`,
  }),
  EACCES: ({ parameters }) => ({
    ...{ by: "network", name: "prohibited" },
    reason: `a firewall on the way, or a prohibit route here, refuses packets to ${placeOf(parameters)}`,
  }),
  ENODEV: ({ parameters: { device = "of that name" } }) => ({
    ...{ by: "us", name: "no device", reason: `this machine has no device ${device}` },
  }),
  EMFILE: noDescriptors,
  ENFILE: noDescriptors,
  ENOPROTOOPT: () => ({
    ...{ by: "us", name: "socket option" },
    reason: "this kernel cannot do what is configured for the peer",
  }),
  EADDRNOTAVAIL: () => ({
    ...{ by: "us", name: "local address" },
    reason: "this machine does not have the local address",
  }),
};

/** Nothing at all came back to what was dialled. */
export function noAnswer({ parameters, password }: Omit<Attempt, "state">): TcpFailure {
  const causes = [
    "host down",
    "packets filtered",
    password ? "another password there, or none (TCP MD5)" : "a password wanted there (TCP MD5)",
    ...hopsHint(parameters),
  ];
  const reason = `no answer from ${placeOf(parameters)}: ${causes.join("; ")}?`;
  return { by: "network", name: "no answer", reason };
}

function hopsHint({ minimumTtl }: SessionParameters): string[] {
  if (minimumTtl === undefined) return [];
  const hops = 256 - minimumTtl;
  return [`more than ${hops} ${hops === 1 ? "hop" : "hops"} away (TTL security)`];
}

/** Connected, and turned away before a word: to the other side we are a stranger, or come too soon. */
function beforeOpen({ state, parameters }: Attempt): string {
  if (state !== "OpenSent") return "";
  return ` before it told anything: it may not have ${ownAddress(parameters)} configured, or wait after an error`;
}

function ownAddress({ localAddress }: SessionParameters): string {
  return localAddress === undefined ? "our address" : formatAddress(localAddress);
}

function placeOf({ address, port }: SessionParameters): string {
  return `${formatAddress(address)} port ${port}`;
}
