/** The BFD control packet (RFC 5880 section 4.1): its bytes, and the checks of section 6.8.6 that need nothing else. */

export type BfdState = "AdminDown" | "Down" | "Init" | "Up";

export interface BfdPacket {
  readonly diagnostic: number;
  readonly state: BfdState;
  readonly poll: boolean;
  readonly final: boolean;
  /** The C bit: the sender's BFD does not end with its control plane. */
  readonly controlPlaneIndependent: boolean;
  readonly demand: boolean;
  readonly detectMultiplier: number;
  readonly myDiscriminator: number;
  /** 0: the sender has not heard of the receiver. */
  readonly yourDiscriminator: number;
  readonly desiredMinTxUs: number;
  readonly requiredMinRxUs: number;
}

export type DecodedBfd =
  | { readonly kind: "packet"; readonly packet: BfdPacket }
  | { readonly kind: "discard"; readonly reason: string };

const VERSION = 1;
const BYTES = 24;
const AUTHENTICATED_BYTES = 26;
/** By their numbers on the wire. */
const states: readonly BfdState[] = ["AdminDown", "Down", "Init", "Up"];
const POLL = 0x20;
const FINAL = 0x10;
const CONTROL_PLANE_INDEPENDENT = 0x08;
const AUTHENTICATION_PRESENT = 0x04;
const DEMAND = 0x02;
const MULTIPOINT = 0x01;

export const diagnostic = {
  none: 0,
  detectionTimeExpired: 1,
  neighborSignaledDown: 3,
  administrativelyDown: 7,
} as const;

/** As RFC 5880 section 4.1 names them. */
const diagnosticNames = [
  "No Diagnostic",
  "Control Detection Time Expired",
  "Echo Function Failed",
  "Neighbor Signaled Session Down",
  "Forwarding Plane Reset",
  "Path Down",
  "Concatenated Path Down",
  "Administratively Down",
  "Reverse Concatenated Path Down",
];

export function diagnosticText(number: number): string {
  return diagnosticNames[number] ?? `diagnostic ${number}`;
}

export function encodeBfd(packet: BfdPacket): Uint8Array {
  const bytes = new Uint8Array(BYTES);
  const view = new DataView(bytes.buffer);
  bytes[0] = (VERSION << 5) | packet.diagnostic;
  bytes[1] =
    (states.indexOf(packet.state) << 6) |
    (packet.poll ? POLL : 0) |
    (packet.final ? FINAL : 0) |
    (packet.controlPlaneIndependent ? CONTROL_PLANE_INDEPENDENT : 0) |
    (packet.demand ? DEMAND : 0);
  bytes[2] = packet.detectMultiplier;
  bytes[3] = BYTES;
  view.setUint32(4, packet.myDiscriminator);
  view.setUint32(8, packet.yourDiscriminator);
  view.setUint32(12, packet.desiredMinTxUs);
  view.setUint32(16, packet.requiredMinRxUs);
  // Required Min Echo RX Interval stays 0: no echo packets are taken.
  return bytes;
}

/** Of `bytes`, the payload of a datagram; what is behind the packet's own length is ignored. */
export function decodeBfd(bytes: Uint8Array): DecodedBfd {
  if (bytes.length < BYTES) return discard(`${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = bytes[1]!;
  const length = bytes[3]!;
  const version = bytes[0]! >> 5;
  const authenticated = (flags & AUTHENTICATION_PRESENT) !== 0;
  if (version !== VERSION) return discard(`version ${version}`);
  if (length < (authenticated ? AUTHENTICATED_BYTES : BYTES) || length > bytes.length) {
    return discard(`length ${length} in ${bytes.length} bytes`);
  }
  if (bytes[2] === 0) return discard("detect multiplier 0");
  if ((flags & MULTIPOINT) !== 0) return discard("multipoint bit");
  const packet: BfdPacket = {
    diagnostic: bytes[0]! & 0x1f,
    state: states[flags >> 6]!,
    poll: (flags & POLL) !== 0,
    final: (flags & FINAL) !== 0,
    controlPlaneIndependent: (flags & CONTROL_PLANE_INDEPENDENT) !== 0,
    demand: (flags & DEMAND) !== 0,
    detectMultiplier: bytes[2]!,
    myDiscriminator: view.getUint32(4),
    yourDiscriminator: view.getUint32(8),
    desiredMinTxUs: view.getUint32(12),
    requiredMinRxUs: view.getUint32(16),
  };
  if (packet.myDiscriminator === 0) return discard("my discriminator 0");
  const beginning = packet.state === "Down" || packet.state === "AdminDown";
  if (packet.yourDiscriminator === 0 && !beginning) {
    return discard(`your discriminator 0 in state ${packet.state}`);
  }
  // Sessions here use no authentication, and such a one takes no packet that has it.
  if (authenticated) return discard("authentication");
  return { kind: "packet", packet };
}

function discard(reason: string): DecodedBfd {
  return { kind: "discard", reason };
}
