/**
 * All BFD sessions of a speaker, and the sockets they hear by: one for each local address. A packet goes to
 * the session of the address it comes from, which is the one it names unless it names none yet (RFC 5880
 * section 6.8.6); all else is dropped without a word. The name alone is not enough: whoever tries names on a
 * link, in millions, would end the session of somebody in minutes.
 */

import {
  Backoff,
  type Clock,
  errorText,
  formatAddress,
  type IpAddress,
  type Timer,
} from "../../lib/index.ts";
import type { Log } from "../../lib/log/index.ts";
import { SparingLog } from "../sparing-log.ts";
import type { BfdConfig, BfdStatus } from "../types.ts";
import { type BfdParameters, type BfdVariables, detectionTimeUs } from "./machine.ts";
import { decodeBfd, diagnosticText } from "./packet.ts";
import { BfdSession } from "./session.ts";
import type { BfdPath, BfdTransport } from "./transport.ts";

const DEFAULT_INTERVAL_MS = 300;
const DEFAULT_MULTIPLIER = 3;
/**
 * A peer whose BGP is begun anew begins its BFD anew as well (BIRD, FRR): what its NOTIFICATION says is read
 * before its BFD is taken for the reason. Where the path is dead, it was silent for much longer.
 */
const SIGNALLED_GRACE_MS = 50;
const RETRY = { initialMs: 1000, maximumMs: 60_000 };

export interface BfdDown {
  /** In words. */
  readonly reason: string;
  /** When, since the epoch: it may be told a little later. */
  readonly atMs: number;
  /** The C bit of the peer: its BFD does not end with its control plane (RFC 5882 section 4.3). */
  readonly controlPlaneIndependent: boolean;
}

export interface BfdWatch {
  status(): BfdStatus;
  reconfigure(config: BfdConfig): void;
  close(): void;
}

export interface BfdOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly transport: BfdTransport;
  /** In [0, 1); `Math.random` unless told. */
  readonly random?: () => number;
}

/** A local address at which packets are received. */
interface Place {
  readonly sessions: Map<IpAddress, BfdSession>;
  close(): void;
}

export class Bfd {
  readonly #options: Required<BfdOptions>;
  readonly #places = new Map<string, Place>();
  readonly #discriminators = new Set<number>();

  constructor(options: BfdOptions) {
    this.#options = { random: Math.random, ...options };
  }

  /**
   * Begins a session. `onDown`: the path was good and is not any more; not called when the other end has
   * switched BFD off. @throws SwitchyardError where no socket can be had
   */
  watch(options: {
    readonly path: BfdPath;
    readonly config: BfdConfig;
    onDown(down: BfdDown): void;
    onStatus(): void;
  }): BfdWatch {
    const { path, onDown, onStatus } = options;
    const { clock, random, transport } = this.#options;
    const log = this.#options.log.child({ bfd: formatAddress(path.address) });
    const sender = transport.sender(path);
    const discriminator = this.#newDiscriminator();
    let sinceMs = clock.now();
    let open = true;
    const sparing = new SparingLog(clock);
    const session = new BfdSession({
      ...{ clock, random, discriminator, parameters: parametersOf(options.config) },
      send: (bytes) => sender.send(bytes),
      onState: (before, after) => {
        sinceMs = clock.now();
        const { state, remoteState } = after;
        const fields = { state, diagnostic: diagnosticText(after.diagnostic) };
        sparing.info(log, fields, "BFD session state");
        if (!open) return;
        if (before.state === "Up" && state === "Down" && remoteState !== "AdminDown") {
          const down = describeDown(before, after, sinceMs);
          if (isSilent(after)) onDown(down);
          else clock.schedule(SIGNALLED_GRACE_MS, () => open && onDown(down));
        }
        onStatus();
      },
    });
    const place = this.#place(path);
    place.sessions.set(path.address, session);
    this.#discriminators.add(discriminator);
    return {
      status: () => {
        const { state, diagnostic } = session.variables;
        return { state, sinceMs, diagnostic: diagnosticText(diagnostic) };
      },
      reconfigure: (config) => session.reconfigure(parametersOf(config)),
      close: () => {
        if (!open) return;
        open = false;
        session.close();
        sender.close();
        this.#discriminators.delete(discriminator);
        place.sessions.delete(path.address);
        if (place.sessions.size > 0) return;
        this.#places.delete(placeName(path));
        place.close();
      },
    };
  }

  #newDiscriminator(): number {
    for (;;) {
      const found = Math.floor(this.#options.random() * 0xffffffff) + 1;
      if (!this.#discriminators.has(found)) return found;
    }
  }

  #place(path: BfdPath): Place {
    const name = placeName(path);
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    const sessions = new Map<IpAddress, BfdSession>();
    const close = this.#listen(path, (bytes, from) => this.#receive(sessions, bytes, from));
    const place = { sessions, close };
    this.#places.set(name, place);
    return place;
  }

  /** Tries until it can; returns how to end it. */
  #listen(path: BfdPath, onPacket: (bytes: Uint8Array, from: IpAddress) => void): () => void {
    const { clock, log, transport } = this.#options;
    const backoff = new Backoff(RETRY);
    let closed = false;
    let timer: Timer | undefined;
    let listener: { close(): void } | undefined;
    const attempt = () => {
      transport.listen(path, onPacket).then(
        (made) => {
          if (closed) made.close();
          else listener = made;
        },
        (error: unknown) => {
          if (closed) return;
          const retryMs = backoff.next();
          log.error({ error: errorText(error), retryMs }, "BFD hears nothing: trying again");
          timer = clock.schedule(retryMs, attempt);
        },
      );
    };
    attempt();
    return () => {
      closed = true;
      timer?.cancel();
      listener?.close();
    };
  }

  #receive(sessions: Place["sessions"], bytes: Uint8Array, from: IpAddress): void {
    const decoded = decodeBfd(bytes);
    if (decoded.kind === "discard") return;
    const { packet } = decoded;
    const named = packet.yourDiscriminator;
    const session = sessions.get(from);
    if (session === undefined) return;
    if (named !== 0 && named !== session.variables.localDiscriminator) return;
    session.receive(packet);
  }
}

function placeName({ localAddress, device }: BfdPath): string {
  return `${formatAddress(localAddress)}%${device ?? ""}`;
}

function parametersOf(config: BfdConfig): BfdParameters {
  const { minimumTransmitMs = DEFAULT_INTERVAL_MS, minimumReceiveMs = DEFAULT_INTERVAL_MS } =
    config;
  return {
    desiredMinTxUs: minimumTransmitMs * 1000,
    requiredMinRxUs: minimumReceiveMs * 1000,
    detectMultiplier: config.detectMultiplier ?? DEFAULT_MULTIPLIER,
  };
}

/** The detection time is over; else the other end has said that it does not hear us. */
function isSilent({ remoteDiscriminator }: BfdVariables): boolean {
  return remoteDiscriminator === 0;
}

function describeDown(before: BfdVariables, after: BfdVariables, atMs: number): BfdDown {
  const heard = isSilent(after)
    ? `BFD heard nothing for ${detectionTimeUs(before) / 1000} ms`
    : "the peer's BFD does not hear us";
  return {
    reason: heard,
    atMs,
    controlPlaneIndependent: before.remoteControlPlaneIndependent,
  };
}
