/**
 * What one peer's sessions have been through: messages counted, the last of them kept, and why sessions
 * ended. Outlives the sessions, and changes of their parameters.
 */

import type { Clock, IpAddress } from "../../lib/index.ts";
import type {
  KeptConnection,
  KeptMessage,
  KeptReading,
  MessageCounts,
  SessionEnd,
  SessionEndCount,
  SessionState,
} from "../types.ts";
import { HEADER_BYTES, messageType } from "../wire/index.ts";
import type { Down } from "./fsm.ts";
import { MessageRing } from "./message-ring.ts";

const KEPT_ENDS = 10;
/** A tag of the ring: the lowest bit is the direction, the rest the connection. */
const SENT = 1;

interface OpenConnection extends KeptConnection {
  reading: KeptReading;
}

const usualReading: KeptReading = {
  ...{ fourOctetAs: true, extendedNextHop: false, addPathReceive: [], addPathSend: [] },
};

type Counts = { -readonly [K in keyof MessageCounts]: MessageCounts[K] };

export class SessionRecord {
  readonly received: Counts = noMessages();
  readonly sent: Counts = noMessages();
  established = 0;
  /** Epoch; 0: none came. */
  lastReceivedMs = 0;
  readonly #clock: Clock;
  readonly #ring: MessageRing;
  readonly #connections = new Map<number, OpenConnection>();
  #lastConnection = 0;
  #lastOpens: KeptMessage[] = [];
  #ends: SessionEnd[] = [];
  readonly #endCounts = new Map<
    string,
    { -readonly [K in keyof SessionEndCount]: SessionEndCount[K] }
  >();

  constructor(clock: Clock, ringBytes: number) {
    this.#clock = clock;
    this.#ring = new MessageRing(ringBytes);
  }

  /** A connection that messages go over from now on. */
  connected(incoming: boolean, localAddress: IpAddress | undefined): number {
    const id = ++this.#lastConnection;
    if (this.#ring.limitBytes > 0) {
      const more = localAddress === undefined ? {} : { localAddress };
      this.#connections.set(id, { id, incoming, reading: usualReading, ...more });
      this.#forgetConnections();
    }
    return id;
  }

  /** How the connection's messages are to be read. */
  agreed(connection: number, negotiated: KeptReading): void {
    const { fourOctetAs, extendedNextHop, addPathReceive, addPathSend } = negotiated;
    const known = this.#connections.get(connection);
    if (known) known.reading = { fourOctetAs, extendedNextHop, addPathReceive, addPathSend };
  }

  onReceived(connection: number, message: Uint8Array): void {
    count(this.received, message[HEADER_BYTES - 1]!, message.length);
    this.lastReceivedMs = this.#clock.now();
    this.#keep({ atMs: this.lastReceivedMs, tag: connection << 1, message });
  }

  /** One message, or several in a row. */
  onSent(connection: number, bytes: Uint8Array): void {
    const atMs = this.#clock.now();
    const tag = (connection << 1) | SENT;
    for (let at = 0; at < bytes.length; ) {
      const length = bytes[at + 16]! * 256 + bytes[at + 17]!;
      const message = length === bytes.length ? bytes : bytes.subarray(at, at + length);
      count(this.sent, message[HEADER_BYTES - 1]!, length);
      this.#keep({ atMs, tag, message });
      at += length;
    }
  }

  onEnd(down: Down, from: SessionState, establishedMs: number | undefined): void {
    const { by, name, reason } = down;
    const atMs = this.#clock.now();
    const lasted = establishedMs === undefined ? {} : { establishedMs };
    if (establishedMs !== undefined) this.#countEnd(by, name);
    // An attempt that fails as the one before did says nothing new; it must not push out what does.
    const same = this.#ends.find((end) => end.reason === reason && end.from === from);
    const again = same !== undefined && establishedMs === undefined ? same : undefined;
    const times = (again?.times ?? 0) + 1;
    const firstMs = again?.firstMs ?? atMs;
    const end: SessionEnd = { atMs, firstMs, times, by, from, name, reason, ...lasted };
    const others = this.#ends.filter((other) => other !== again);
    this.#ends = [end, ...others].slice(0, KEPT_ENDS);
  }

  /** The latest first. */
  get ends(): readonly SessionEnd[] {
    return this.#ends;
  }

  get endCounts(): readonly SessionEndCount[] {
    return [...this.#endCounts.values()];
  }

  /** Of the last messages to be kept; 0 for none. */
  setRingBytes(bytes: number): void {
    this.#ring.setLimit(bytes);
    if (bytes > 0) return;
    this.#connections.clear();
    this.#lastOpens = [];
  }

  /** Copies, the oldest first; before them the last two OPENs, where they are older than what is kept. */
  messages(): KeptMessage[] {
    const kept = this.#ring.entries().flatMap(({ atMs, tag, bytes }) => {
      const connection = this.#connections.get(tag >>> 1);
      return connection ? [{ atMs, sent: (tag & SENT) === SENT, connection, bytes }] : [];
    });
    const opens = this.#lastOpens.filter(
      ({ sent, connection }) =>
        !kept.some(
          (one) => one.connection === connection && one.sent === sent && isOpen(one.bytes),
        ),
    );
    return [...opens, ...kept];
  }

  #keep(one: { readonly atMs: number; readonly tag: number; readonly message: Uint8Array }): void {
    const { atMs, tag, message } = one;
    if (this.#ring.limitBytes === 0) return;
    this.#ring.put(atMs, tag, message);
    if (!isOpen(message)) return;
    const connection = this.#connections.get(tag >>> 1);
    if (connection === undefined) return;
    const sent = (tag & SENT) === SENT;
    const others = this.#lastOpens.filter((open) => open.sent !== sent);
    this.#lastOpens = [...others, { atMs, sent, connection, bytes: message.slice() }];
  }

  /** Those of which nothing is kept any more. */
  #forgetConnections(): void {
    if (this.#connections.size % 64 !== 0) return;
    const needed = new Set(this.messages().map(({ connection }) => connection.id));
    for (const id of this.#connections.keys()) {
      if (!needed.has(id) && id < this.#lastConnection - 8) this.#connections.delete(id);
    }
  }

  #countEnd(by: SessionEndCount["by"], name: string): void {
    const key = `${by} ${name}`;
    const known = this.#endCounts.get(key);
    if (known) known.count++;
    else this.#endCounts.set(key, { by, name, count: 1 });
  }
}

function isOpen(message: Uint8Array): boolean {
  return message[HEADER_BYTES - 1] === messageType.open;
}

function noMessages(): Counts {
  return { open: 0, update: 0, notification: 0, keepalive: 0, routeRefresh: 0, bytes: 0 };
}

function count(counts: Counts, type: number, bytes: number): void {
  counts.bytes += bytes;
  switch (type) {
    case messageType.open:
      counts.open++;
      return;
    case messageType.update:
      counts.update++;
      return;
    case messageType.notification:
      counts.notification++;
      return;
    case messageType.keepalive:
      counts.keepalive++;
      return;
    default:
      counts.routeRefresh++;
  }
}
