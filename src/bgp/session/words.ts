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

/** `error` as the kernel's name of it stands in there; empty where the other side just closed. */
export function tcpFailure(text: string, attempt: Attempt): TcpFailure {
  // Our port is another one at each attempt, and says nothing.
  const error = text.replace(/ - Local \(.*\)$/, "");
  const errno = /\bE[A-Z0-9]{3,}\b/.exec(error)?.[0];
  const at = placeOf(attempt.parameters);
  const dialling = attempt.state === "Connect";
  const make = (by: EndedBy, name: string, words: string): TcpFailure => ({
    ...{ by, name },
    reason: error === "" ? words : `${words} (${error})`,
  });
  if (error === "") {
    return make(
      "peer",
      "connection closed",
      `the peer closed the connection${beforeOpen(attempt)}`,
    );
  }
  switch (errno) {
    case "ECONNREFUSED":
      return make("peer", "connection refused", `nobody listens at ${at}`);
    case "ECONNRESET":
    case "EPIPE":
      return make(
        "peer",
        "connection reset",
        `the peer reset the connection${beforeOpen(attempt)}`,
      );
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return make("network", "no route", `no way to ${at}`);
    case "ETIMEDOUT":
      if (dialling)
        return { ...noAnswer(attempt), reason: `${noAnswer(attempt).reason} (${error})` };
      return make("network", "no answer", "the peer acknowledged nothing any more");
    case "EINVAL": {
      const { localAddress } = attempt.parameters;
      const own = localAddress === undefined ? "our address" : formatAddress(localAddress);
      return make("us", "local address", `no packet can go from ${own} to ${at}`);
    }
    case "EACCES":
      return make(
        "network",
        "prohibited",
        `a firewall on the way, or a prohibit route here, refuses packets to ${at}`,
      );
    case "ENODEV": {
      const { device = "of that name" } = attempt.parameters;
      return make("us", "no device", `this machine has no device ${device}`);
    }
    case "EMFILE":
    case "ENFILE":
      return make("us", "no descriptors", "this process has no file descriptor left");
    case "ENOPROTOOPT":
      return make("us", "socket option", "this kernel cannot do what is configured for the peer");
    case "EADDRNOTAVAIL":
      return make("us", "local address", "this machine does not have the local address");
    default:
      return { by: "network", name: "TCP error", reason: error };
  }
}

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
function beforeOpen({ state, parameters: { localAddress } }: Attempt): string {
  if (state !== "OpenSent") return "";
  const own = localAddress === undefined ? "our address" : formatAddress(localAddress);
  return ` before it told anything: it may not have ${own} configured, or wait after an error`;
}

function placeOf({ address, port }: SessionParameters): string {
  return `${formatAddress(address)} port ${port}`;
}
