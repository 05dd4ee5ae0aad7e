/**
 * The sending side of one Established session: keeps the peer's view equal to what export says, in
 * slices and never faster than the connection takes it; End-of-RIB after the first full round
 * (RFC 4724), the marks of RFC 7313 around an asked-for one.
 */

import type { PeerHost } from "./peer-host.ts";
import {
  AdjRibOut,
  AdjRibOutPaths,
  type AdjRibOutTable,
  Exporter,
  type ExportTarget,
  type Origination,
  type OutgoingAttributes,
  type Path,
  type PrefixNumber,
  prefixIndex,
  type SentPath,
  type WantedPath,
} from "./rib/index.ts";
import { Deadline, type Negotiated, type PeerSession } from "./session/index.ts";
import type { AddressFamily } from "./types.ts";
import type { Withheld } from "./view-types.ts";
import {
  type AttributeContext,
  afiSafiOf,
  encodeEndOfRib,
  encodeRouteRefresh,
  MAXIMUM_EXTENDED_MESSAGE_BYTES,
  MAXIMUM_MESSAGE_BYTES,
} from "./wire/index.ts";

const SLICE_ROUTES = 1000;

export interface PeerSenderOptions {
  readonly host: Pick<
    PeerHost,
    "clock" | "slices" | "exportGroups" | "route" | "routes" | "allNumbers" | "deferring"
  >;
  readonly session: Pick<PeerSession, "send">;
  readonly negotiated: Negotiated;
  readonly target: ExportTarget;
  /** MinRouteAdvertisementInterval; 0 for none. */
  readonly intervalSeconds: number;
}

export class PeerSender {
  readonly #options: PeerSenderOptions;
  readonly #table: AdjRibOutTable;
  #exporter: Exporter;
  #maximumPaths: number;
  #writable = true;
  #closed = false;
  #endOfRibDue = false;
  #intervalSeconds: number;
  /** Runs while nothing is to be told because something just was (RFC 4271 section 9.2.1.1). */
  readonly #interval: Deadline;
  /** Something was told since the interval last ran. */
  #told = false;
  #walk: Iterator<PrefixNumber> | undefined;
  readonly #resendDue = new Set<AddressFamily>();
  readonly #resending = new Set<AddressFamily>();
  readonly #job = () => {
    this.#scheduled = this.#slice() ? "soon" : undefined;
    return this.#scheduled !== undefined;
  };
  /** When the job has its turn. */
  #scheduled: "patient" | "soon" | undefined;

  constructor(options: PeerSenderOptions) {
    this.#options = options;
    this.#exporter = new Exporter(options.target, options.host.exportGroups);
    this.#intervalSeconds = options.intervalSeconds;
    this.#interval = new Deadline(options.host.clock, () => this.#work());
    this.#maximumPaths = options.target.maximumPaths;
    const { families, extendedMessage, addPathSend: addPath } = options.negotiated;
    const maximumBytes = extendedMessage ? MAXIMUM_EXTENDED_MESSAGE_BYTES : MAXIMUM_MESSAGE_BYTES;
    const { updates } = options.host.exportGroups;
    const told = { families, maximumBytes, updates };
    this.#table =
      addPath.length === 0
        ? new AdjRibOut({ ...told, wanted: (number) => this.#wanted(number) })
        : new AdjRibOutPaths({
            ...{ ...told, addPath },
            wanted: (number) => this.#wantedPaths(number),
          });
  }

  #wanted(number: PrefixNumber): OutgoingAttributes | undefined {
    const route = this.#options.host.route(number);
    return route && this.#exporter.export(prefixIndex.keyOf(number), route);
  }

  #wantedPaths(number: PrefixNumber): WantedPath[] {
    const { host, negotiated } = this.#options;
    if (!negotiated.addPathSend.includes(prefixIndex.familyOf(number))) {
      const attributes = this.#wanted(number);
      return attributes ? [{ peerId: 0, pathId: 0, attributes }] : [];
    }
    const wanted: WantedPath[] = [];
    for (const route of host.routes(number, Number.isFinite(this.#maximumPaths))) {
      if (wanted.length === this.#maximumPaths) break;
      const attributes = this.#exporter.export(prefixIndex.keyOf(number), route);
      if (attributes === undefined) continue;
      const { peerId, pathId } =
        "kind" in route
          ? { peerId: 0, pathId: 0 }
          : { peerId: route.source.peerId, pathId: route.pathId };
      wanted.push({ peerId, pathId, attributes });
    }
    return wanted;
  }

  get routesSent(): number {
    return this.#table.size;
  }

  /** Prefixes the peer has been told of. */
  numbers(): Iterable<PrefixNumber> {
    return this.#table.numbers();
  }

  sent(number: PrefixNumber): readonly SentPath[] {
    return this.#table.sent(number);
  }

  /** Why the peer has not been told of the route to a prefix; `undefined`: it has. */
  withheld(number: PrefixNumber, route: Origination | Path): Withheld | undefined {
    if (this.#table.has(number)) return undefined;
    const { families } = this.#options.negotiated;
    if (!families.includes(prefixIndex.familyOf(number))) return { by: "family" };
    return this.#exporter.withheld(prefixIndex.keyOf(number), route) ?? { by: "waiting" };
  }

  /** How to read what is sent. */
  get context(): AttributeContext {
    return this.#options.negotiated;
  }

  /** Prefixes that may have to be told yet. */
  get routesWaiting(): number {
    return this.#table.waiting;
  }

  setInterval(seconds: number): void {
    this.#intervalSeconds = seconds;
    if (seconds > 0) return;
    this.#interval.stop();
    this.#work();
  }

  /** The first full round. */
  sendAll(): void {
    this.#walk = this.#options.host.allNumbers()[Symbol.iterator]();
    this.#endOfRibDue = true;
    this.#work();
  }

  /** `route`: what is to be told of it now, as the host has it. */
  touch(number: PrefixNumber, route: Origination | Path | undefined): void {
    if (!this.#concerns(number, route)) return;
    this.#table.touch(number);
    this.#work();
  }

  /** Goes on with a walk over all routes. */
  #walkSome(): void {
    for (let left = SLICE_ROUTES; this.#walk !== undefined && left > 0; left--) {
      const { value, done } = this.#walk.next();
      if (done) this.#walk = undefined;
      else if (this.#concerns(value, this.#options.host.route(value))) this.#table.touch(value);
    }
  }

  /** In a full mesh nearly every change is of no concern to nearly every peer: the cheap way out. */
  #concerns(number: PrefixNumber, route: Origination | Path | undefined): boolean {
    const { host, negotiated } = this.#options;
    if (!negotiated.families.includes(prefixIndex.familyOf(number))) return false;
    if (route !== undefined && this.#exporter.mayExport(route)) return true;
    if (this.#table.has(number)) return true;
    if (negotiated.addPathSend.length === 0) return false;
    for (const other of host.routes(number, false))
      if (this.#exporter.mayExport(other)) return true;
    return false;
  }

  /** The export policy has changed. */
  retarget(target: ExportTarget): void {
    this.#exporter = new Exporter(target, this.#options.host.exportGroups);
    this.#walk?.return?.();
    this.#maximumPaths = target.maximumPaths;
    // What was sent and is no route any more waits already.
    this.#walk = this.#options.host.allNumbers()[Symbol.iterator]();
    this.#work();
  }

  /** The peer asks for the family again. */
  resend(family: AddressFamily): void {
    this.#resendDue.add(family);
    this.#work();
  }

  /** The connection takes more. */
  pump(): void {
    this.#writable = true;
    this.#work();
  }

  /** What held back all routes is over. */
  resume(): void {
    this.#work();
  }

  close(): void {
    this.#closed = true;
    this.#walk?.return?.();
    this.#interval.stop();
    this.#options.host.slices.remove(this.#job);
  }

  #work(): void {
    if (this.#scheduled === "soon") return;
    if (!this.#writable || this.#closed || this.#interval.running) return;
    // RFC 4724 section 4.1: who has restarted tells no route before all peers have told theirs.
    if (this.#options.host.deferring()) return;
    const { slices } = this.#options.host;
    // A few changes wait for more of them: a message to each of many peers is dear.
    const few = this.#walk === undefined && !this.#endOfRibDue && this.#resendDue.size === 0;
    if (few && this.#table.waiting < SLICE_ROUTES) {
      if (this.#scheduled === undefined) slices.addPatient(this.#job);
      this.#scheduled = "patient";
      return;
    }
    this.#scheduled = "soon";
    slices.add(this.#job);
  }

  #send(bytes: Uint8Array): void {
    if (!this.#options.session.send(bytes)) this.#writable = false;
  }

  #slice(): boolean {
    if (this.#closed || !this.#writable || this.#interval.running) return false;
    this.#walkSome();
    for (const message of this.#table.take(SLICE_ROUTES)) {
      this.#told = true;
      this.#send(message);
    }
    if (this.#closed) return false;
    if (!this.#table.idle || this.#walk !== undefined) return this.#writable;
    this.#endRound();
    // What is still to be told, of a refresh, is told before anybody waits.
    if (this.#table.idle) this.#startInterval();
    return !this.#table.idle && this.#writable;
  }

  /** RFC 4271 section 10: a little shorter by chance, so that peers are not told all at once. */
  #startInterval(): void {
    if (!this.#told || this.#intervalSeconds === 0) return;
    this.#told = false;
    this.#interval.start(this.#intervalSeconds * 1000 * (0.75 + 0.25 * Math.random()));
  }

  #endRound(): void {
    const { families, enhancedRouteRefresh } = this.#options.negotiated;
    if (this.#endOfRibDue) {
      // Nor is a refresh begun before End-of-RIB (RFC 7313 section 4).
      this.#endOfRibDue = false;
      for (const family of families) this.#send(encodeEndOfRib(family));
    }
    for (const family of this.#resending) {
      this.#send(encodeRouteRefresh({ ...afiSafiOf(family), subtype: "end" }));
    }
    this.#resending.clear();
    for (const family of this.#resendDue) {
      if (enhancedRouteRefresh) {
        this.#send(encodeRouteRefresh({ ...afiSafiOf(family), subtype: "begin" }));
        this.#resending.add(family);
      }
      this.#table.forget(family);
    }
    this.#resendDue.clear();
    if (this.#table.idle && this.#resending.size > 0) this.#endRound();
  }
}
