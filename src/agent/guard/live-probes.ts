/**
 * The live probes of a node: small and full-size ICMP echo, and knocks by UDP, to the probe address of each
 * partner over the routes that pods use. 20 packets a second to a partner, 1,000 in all, and one knock.
 *
 * A tick takes what has come before it decides what is lost, by a time read before taking: however late a tick
 * is, what the kernel had by then is no loss.
 */

import type { Clock, IpAddress } from "../../lib/index.ts";
import { formatAddress } from "../../lib/index.ts";
import { type PathCount, type PathKind, PathLedger, type PathReport } from "../../mode/index.ts";
import { GUARD_PORT } from "../../plan/index.ts";
import type { EchoSocket } from "../../probe/index.ts";

export const TICK_MS = 50;
/** In one tick: a larger cluster gives each partner less, so that a node sends 1,000 a second at most. */
const MOST_PER_TICK = 50;
/** One of so many is as large as pods' packets may be. */
const FULL_EVERY = 4;
/** Hosts answer one knock of a sender a second (net.ipv4.icmp_ratelimit). */
const KNOCK_EVERY_MS = 1_100;
/** A tick that is so late is a pause of this process, or of the host. */
const PAUSE_MS = 100;
/** Round trips that are remembered. */
const MOST_ROUND_TRIPS = 4_096;

/** What of a socket is used; a test's has no network. */
export type EchoPort = Pick<EchoSocket, "echo" | "knock" | "take" | "close">;

export interface ProbedPartner {
  readonly node: string;
  readonly address: IpAddress;
}

const kinds: readonly PathKind[] = ["echo", "full", "knock"];
const nothing: PathCount = { sent: 0, answered: 0, lost: 0, longestGapMs: 0, lostInARow: 0 };
/** Nothing about the network: the packet did not fit into a buffer, or the address is just going. */
const ownTrouble = new Set(["EAGAIN", "ENOBUFS", "ENOMEM", "EINTR", "EINVAL", "EADDRNOTAVAIL"]);

interface Path {
  readonly kind: PathKind;
  readonly ledger: PathLedger;
  /** Something has come back: only from then on is anything counted. */
  begun: boolean;
  before: PathCount | undefined;
  said: string | undefined;
}

interface Partner extends ProbedPartner {
  readonly paths: Readonly<Record<PathKind, Path>>;
  sent: number;
  knockedMs: number;
}

export class LiveProbes {
  readonly #clock: Clock;
  readonly #socket: EchoPort;
  #partners = new Map<string, Partner>();
  #order: Partner[] = [];
  #next = 0;
  #sequence = 0;
  #tickedMs: number | undefined;
  #judging = false;
  #roundTripsUs: number[] = [];
  #roundTrip = 0;
  #losses = 0;
  #sentBefore = 0;
  #lostBefore = 0;

  constructor(options: { readonly clock: Clock; readonly socket: EchoPort }) {
    this.#clock = options.clock;
    this.#socket = options.socket;
  }

  /** Probes these from now on; what was counted of others is forgotten. */
  follow(partners: readonly ProbedPartner[]): void {
    const next = new Map<string, Partner>();
    for (const { node, address } of partners) {
      const key = `${node} ${formatAddress(address)}`;
      next.set(key, this.#partners.get(key) ?? newPartner({ node, address }));
    }
    for (const [key, partner] of this.#partners) {
      if (next.has(key)) continue;
      for (const { ledger } of Object.values(partner.paths)) {
        this.#sentBefore += ledger.count().sent;
        this.#lostBefore += ledger.count().lost;
      }
    }
    this.#partners = next;
    this.#order = [...next.values()];
  }

  /** How things were up to now is what they are held against from now on. */
  judge(): void {
    this.#judging = true;
    for (const { paths } of this.#order) {
      for (const path of Object.values(paths)) if (path.begun) this.#split(path);
    }
  }

  /** One look and one round of packets. `fullBytes`: what pods may send; true if something was lost. */
  tick(fullBytes: number | undefined): boolean {
    const nowMs = this.#clock.monotonicMs();
    const pauseMs = nowMs - (this.#tickedMs ?? nowMs) - TICK_MS;
    this.#tickedMs = nowMs;
    const losses = this.#losses;
    this.#take();
    for (const { paths } of this.#order) {
      for (const { ledger } of Object.values(paths)) {
        if (pauseMs >= PAUSE_MS) ledger.excuse(pauseMs);
        const lost = ledger.count().lost;
        ledger.expire(nowMs);
        this.#losses += ledger.count().lost - lost;
      }
    }
    const count = Math.min(this.#order.length, MOST_PER_TICK);
    for (let i = 0; i < count; i++) {
      this.#next = (this.#next + 1) % this.#order.length;
      this.#send(this.#order[this.#next]!, fullBytes);
    }
    return this.#losses > losses;
  }

  reports(): PathReport[] {
    return this.#order.flatMap(({ node, address, paths }) =>
      kinds.map((kind): PathReport => {
        const { begun, before, ledger, said } = paths[kind];
        return {
          ...{ node, kind, said, address: formatAddress(address) },
          before: before ?? nothing,
          since: begun && before ? ledger.count() : nothing,
        };
      }),
    );
  }

  totals(): {
    sent: number;
    lost: number;
    rttP50Us: number;
    rttP99Us: number;
    longestGapMs: number;
  } {
    const total = { sent: this.#sentBefore, lost: this.#lostBefore, longestGapMs: 0 };
    for (const { paths } of this.#order) {
      for (const { ledger, before, begun } of Object.values(paths)) {
        if (!begun) continue;
        const { sent, lost, longestGapMs } = ledger.count();
        total.sent += sent + (before?.sent ?? 0);
        total.lost += lost + (before?.lost ?? 0);
        total.longestGapMs = Math.max(total.longestGapMs, longestGapMs, before?.longestGapMs ?? 0);
      }
    }
    const sorted = this.#roundTripsUs.toSorted((a, b) => a - b);
    const at = (part: number) => Math.round(sorted[Math.floor(sorted.length * part)] ?? 0);
    return { ...total, rttP50Us: at(0.5), rttP99Us: at(0.99) };
  }

  close(): void {
    this.#socket.close();
  }

  #take(): void {
    for (const answer of this.#socket.take()) {
      const { sequence, from, atMs } = answer;
      const about = answer.kind === "reply" ? from : answer.destination;
      const kind = kinds[sequence & 3];
      const partner = this.#order.find(({ address }) => address === about);
      const path = kind && partner?.paths[kind];
      if (!path) continue;
      // At a port at which nobody listens, that is the answer.
      if (answer.kind === "error" && !(kind === "knock" && answer.port)) {
        path.said = `${answer.text}, by ${formatAddress(from)}`;
        if (path.ledger.failed(sequence)) this.#losses++;
        continue;
      }
      const tookMs = path.ledger.answered(sequence, atMs);
      if (tookMs === undefined) continue;
      if (kind === "echo") this.#noteRoundTrip(tookMs * 1000);
      if (!path.begun) this.#begin(path);
    }
  }

  /** What was lost before the first answer says that the path was not there yet. */
  #begin(path: Path): void {
    path.begun = true;
    path.ledger.abandon();
    const { answered } = path.ledger.split();
    path.ledger.credit(answered);
    // A partner that comes when others are judged already has no time to be looked at first.
    if (this.#judging) this.#split(path);
  }

  #split(path: Path): void {
    path.before = path.ledger.split();
    path.said = undefined;
  }

  #send(partner: Partner, fullBytes: number | undefined): void {
    const { address, paths } = partner;
    const nowMs = this.#clock.monotonicMs();
    const full = partner.sent++ % FULL_EVERY === FULL_EVERY - 1 && fullBytes !== undefined;
    this.#dispatch(paths[full ? "full" : "echo"], (sequence) =>
      this.#socket.echo(address, sequence, full ? fullBytes : undefined),
    );
    if (nowMs - partner.knockedMs < KNOCK_EVERY_MS) return;
    partner.knockedMs = nowMs;
    this.#dispatch(paths.knock, (sequence) =>
      this.#socket.knock({ address, port: GUARD_PORT }, sequence),
    );
  }

  #dispatch(path: Path, send: (sequence: number) => ReturnType<EchoPort["echo"]>): void {
    this.#sequence = (this.#sequence + 1) % 2 ** 30;
    const sequence = this.#sequence * 4 + kinds.indexOf(path.kind);
    const atMs = this.#clock.monotonicMs();
    const refusal = send(sequence);
    if (refusal === undefined) path.ledger.sent(sequence, atMs);
    else if (!ownTrouble.has(refusal.errno)) {
      path.said = `${refusal.text}, by this host`;
      path.ledger.refused(atMs);
      this.#losses++;
    }
  }

  #noteRoundTrip(us: number): void {
    this.#roundTripsUs[this.#roundTrip] = us;
    this.#roundTrip = (this.#roundTrip + 1) % MOST_ROUND_TRIPS;
  }
}

function newPartner(probed: ProbedPartner): Partner {
  const path = (kind: PathKind): Path => ({
    ...{ kind, ledger: new PathLedger(), begun: false, before: undefined, said: undefined },
  });
  const paths = { echo: path("echo"), full: path("full"), knock: path("knock") };
  return { ...probed, paths, sent: 0, knockedMs: Number.NEGATIVE_INFINITY };
}
