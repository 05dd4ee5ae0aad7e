/** NOTIFICATION (RFC 4271 section 4.5): its codes, their names, its bytes, and the error that carries one. */

import { SwitchyardError } from "../../lib/index.ts";
import { HEADER_BYTES, MAXIMUM_MESSAGE_BYTES, messageType } from "./constants.ts";
import { encodeMessage } from "./header.ts";
import { shutdownCommunicationText } from "./shutdown-communication.ts";

export interface Notification {
  readonly kind: "notification";
  readonly code: number;
  readonly subcode: number;
  readonly data: Uint8Array;
}

interface CodeNames {
  readonly name: string;
  readonly subcodes: Readonly<Record<number, string>>;
}

const names: Readonly<Record<number, CodeNames>> = {
  1: {
    name: "Message Header Error",
    subcodes: {
      1: "Connection Not Synchronized",
      2: "Bad Message Length",
      3: "Bad Message Type",
    },
  },
  2: {
    name: "OPEN Message Error",
    subcodes: {
      0: "Unspecific",
      1: "Unsupported Version Number",
      2: "Bad Peer AS",
      3: "Bad BGP Identifier",
      4: "Unsupported Optional Parameter",
      6: "Unacceptable Hold Time",
      7: "Unsupported Capability",
      11: "Role Mismatch",
    },
  },
  3: {
    name: "UPDATE Message Error",
    subcodes: {
      1: "Malformed Attribute List",
      2: "Unrecognized Well-known Attribute",
      3: "Missing Well-known Attribute",
      4: "Attribute Flags Error",
      5: "Attribute Length Error",
      6: "Invalid ORIGIN Attribute",
      8: "Invalid NEXT_HOP Attribute",
      9: "Optional Attribute Error",
      10: "Invalid Network Field",
      11: "Malformed AS_PATH",
    },
  },
  4: { name: "Hold Timer Expired", subcodes: {} },
  5: {
    name: "Finite State Machine Error",
    subcodes: {
      0: "Unspecified Error",
      1: "Unexpected Message in OpenSent",
      2: "Unexpected Message in OpenConfirm",
      3: "Unexpected Message in Established",
    },
  },
  6: {
    name: "Cease",
    subcodes: {
      1: "Maximum Number of Prefixes Reached",
      2: "Administrative Shutdown",
      3: "Peer De-configured",
      4: "Administrative Reset",
      5: "Connection Rejected",
      6: "Other Configuration Change",
      7: "Connection Collision Resolution",
      8: "Out of Resources",
      9: "Hard Reset",
      10: "BFD Down",
    },
  },
  7: { name: "ROUTE-REFRESH Message Error", subcodes: { 1: "Invalid Message Length" } },
  8: { name: "Send Hold Timer Expired", subcodes: {} },
};

/** Every pair the product sends, under the name the code uses for it. */
export const notificationCode = {
  notSynchronized: [1, 1],
  badMessageLength: [1, 2],
  badMessageType: [1, 3],
  openUnspecific: [2, 0],
  unsupportedVersion: [2, 1],
  badPeerAs: [2, 2],
  badIdentifier: [2, 3],
  unsupportedOptionalParameter: [2, 4],
  unacceptableHoldTime: [2, 6],
  unsupportedCapability: [2, 7],
  roleMismatch: [2, 11],
  malformedAttributeList: [3, 1],
  unrecognizedWellKnown: [3, 2],
  optionalAttribute: [3, 9],
  invalidNetworkField: [3, 10],
  holdTimerExpired: [4, 0],
  unexpectedInOpenSent: [5, 1],
  unexpectedInOpenConfirm: [5, 2],
  unexpectedInEstablished: [5, 3],
  maximumPrefixes: [6, 1],
  administrativeShutdown: [6, 2],
  peerDeconfigured: [6, 3],
  connectionRejected: [6, 5],
  otherConfigurationChange: [6, 6],
  connectionCollision: [6, 7],
  outOfResources: [6, 8],
  hardReset: [6, 9],
  bfdDown: [6, 10],
  routeRefreshLength: [7, 1],
  sendHoldTimerExpired: [8, 0],
} as const satisfies Record<string, readonly [number, number]>;

export type NotificationName = keyof typeof notificationCode;

export function notification(
  name: NotificationName,
  data: Uint8Array = new Uint8Array(0),
): Notification {
  const [code, subcode] = notificationCode[name];
  return { kind: "notification", code, subcode, data };
}

const CEASE = 6;
const HARD_RESET = notificationCode.hardReset[1];

/** RFC 8538 section 3: routes are not to be kept, for the reason inside. */
export function hardReset({ code, subcode, data }: Notification): Notification {
  return notification("hardReset", Uint8Array.of(code, subcode, ...data));
}

export function isHardReset({ code, subcode }: Notification): boolean {
  return code === CEASE && subcode === HARD_RESET;
}

/** `Cease / Administrative Shutdown`, with the operator's words (RFC 9003) where there are some. */
export function describeNotification(message: Notification): string {
  const { code, subcode, data } = message;
  const known = names[code];
  if (known === undefined) return `code ${code} subcode ${subcode}`;
  const detail = known.subcodes[subcode] ?? (subcode === 0 ? "" : `subcode ${subcode}`);
  const said = code === CEASE ? wordsOfCease(subcode, data) : "";
  return `${known.name}${detail === "" ? "" : ` / ${detail}`}${said === "" ? "" : `: ${said}`}`;
}

/** One of a bounded number, whatever a peer sends; of a Hard Reset the reason inside (RFC 8538 section 3). */
export function notificationName(message: Notification): string {
  const { code, subcode } = hardResetReason(message) ?? message;
  const known = names[code];
  if (known === undefined) return "unknown NOTIFICATION";
  const detail = known.subcodes[subcode];
  return detail === undefined ? known.name : `${known.name} / ${detail}`;
}

function wordsOfCease(subcode: number, data: Uint8Array): string {
  if (subcode === 2 || subcode === 4) return shutdownCommunicationText(data);
  const reason = hardResetReason({ kind: "notification", code: CEASE, subcode, data });
  return reason === undefined ? "" : describeNotification(reason);
}

function hardResetReason(message: Notification): Notification | undefined {
  const { data } = message;
  if (!isHardReset(message) || data.length < 2) return undefined;
  const [code, subcode] = [data[0]!, data[1]!];
  const inner: Notification = { kind: "notification", code, subcode, data: data.subarray(2) };
  // One hard reset inside another says nothing, however deep it goes.
  return isHardReset(inner) ? undefined : inner;
}

/** Data for which the message has no room is cut: a peer may have sent all of it. */
export function encodeNotification(
  { code, subcode, data }: Notification,
  maximumBytes = MAXIMUM_MESSAGE_BYTES,
): Uint8Array {
  const fitting = data.subarray(0, maximumBytes - HEADER_BYTES - 2);
  const body = new Uint8Array(2 + fitting.length);
  body[0] = code;
  body[1] = subcode;
  body.set(fitting, 2);
  return encodeMessage(messageType.notification, body);
}

/** `message` is whole, its header already checked (at least 21 bytes). */
export function decodeNotification(message: Uint8Array): Notification {
  return {
    kind: "notification",
    code: message[HEADER_BYTES]!,
    subcode: message[HEADER_BYTES + 1]!,
    data: message.slice(HEADER_BYTES + 2),
  };
}

/** What a decoder throws when the session must end: the NOTIFICATION to send, and why in words. */
export class ProtocolError extends SwitchyardError {
  readonly notification: Notification;

  constructor(name: NotificationName, reason: string, data?: Uint8Array) {
    const message = notification(name, data);
    super("BGP_MALFORMED", `${describeNotification(message)}: ${reason}`);
    this.notification = message;
  }
}
