/** One BFD session at work: the machine with its timers and the socket it sends by. */

import type { Clock, Timer } from "../../lib/index.ts";
import { Deadline } from "../session/index.ts";
import {
  type BfdEvent,
  type BfdParameters,
  type BfdVariables,
  detectionTimeUs,
  initialVariables,
  step,
  transmitIntervalUs,
} from "./machine.ts";
import { type BfdPacket, encodeBfd } from "./packet.ts";

/** What came while this process did something else is looked at before the other end is given up. */
const DETECTION_GRACE_MS = 5;

export interface BfdSessionOptions {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly parameters: BfdParameters;
  /** Not 0, and of no other session here. */
  readonly discriminator: number;
  send(bytes: Uint8Array): void;
  /** The state has changed; `before` are the variables until then. */
  onState(before: BfdVariables, after: BfdVariables): void;
}

export class BfdSession {
  readonly #options: BfdSessionOptions;
  readonly #detection: Deadline;
  #parameters: BfdParameters;
  #variables: BfdVariables;
  #transmit: Timer | undefined;
  /** What the transmit timer runs for. */
  #intervalUs: number | undefined;
  #sentAtMs: number;
  #received = 0;

  constructor(options: BfdSessionOptions) {
    this.#options = options;
    this.#parameters = options.parameters;
    this.#variables = initialVariables(options.discriminator, options.parameters);
    this.#detection = new Deadline(options.clock, () => this.#lookOnceMore());
    this.#sentAtMs = options.clock.monotonicMs();
    this.#schedule();
  }

  get variables(): BfdVariables {
    return this.#variables;
  }

  /** A packet that belongs to this session. */
  receive(packet: BfdPacket): void {
    this.#received++;
    this.#dispatch({ kind: "packet", packet });
    this.#detection.start(this.#detectionTimeMs());
  }

  reconfigure(parameters: BfdParameters): void {
    this.#parameters = parameters;
    this.#dispatch({ kind: "parameters" });
    if (this.#detection.running) this.#detection.start(this.#detectionTimeMs());
  }

  /** Ends it, and tells the other end that nothing is wrong with the path (section 6.8.16). */
  close(): void {
    this.#dispatch({ kind: "disable" });
    this.#transmit?.cancel();
    this.#transmit = undefined;
    this.#detection.stop();
  }

  #detectionTimeMs(): number {
    return detectionTimeUs(this.#variables) / 1000;
  }

  #lookOnceMore(): void {
    const received = this.#received;
    this.#options.clock.schedule(DETECTION_GRACE_MS, () => {
      if (this.#received === received) this.#dispatch({ kind: "detection-time-expired" });
    });
  }

  #dispatch(event: BfdEvent): void {
    const before = this.#variables;
    const { variables, send } = step(before, event, this.#parameters);
    this.#variables = variables;
    if (send) this.#send(send);
    if (transmitIntervalUs(variables) !== this.#intervalUs) this.#schedule();
    if (variables.state !== before.state) this.#options.onState(before, variables);
  }

  #send(packet: BfdPacket): void {
    // An answer to a poll is no part of the periodic transmission.
    if (!packet.final) this.#sentAtMs = this.#options.clock.monotonicMs();
    this.#options.send(encodeBfd(packet));
  }

  /** From the packet sent last on. */
  #schedule(): void {
    const { clock } = this.#options;
    this.#transmit?.cancel();
    this.#transmit = undefined;
    this.#intervalUs = transmitIntervalUs(this.#variables);
    if (this.#intervalUs === undefined || this.#variables.state === "AdminDown") return;
    const dueMs = this.#sentAtMs + (this.#intervalUs / 1000) * this.#jitter();
    this.#transmit = clock.schedule(Math.max(0, dueMs - clock.monotonicMs()), () => {
      this.#dispatch({ kind: "transmit" });
      this.#schedule();
    });
  }

  /** Section 6.8.7: three quarters at least; where one lost packet is the end, a tenth to spare. */
  #jitter(): number {
    const most = this.#parameters.detectMultiplier === 1 ? 0.9 : 1;
    return 0.75 + (most - 0.75) * this.#options.random();
  }
}
