/**
 * Obeys the order `prove`: answers at this node's probe address, waits until this node and its partners can be
 * probed, runs the round and writes what it saw to the ModeEvidence. It looks at what the last pass came to and
 * runs beside the passes. A round that the orders no longer name ends at once; an agent that starts again runs
 * the round again that its predecessor had not finished.
 */

import type { ClusterView } from "../facts/index.ts";
import { type Clock, type IpAddress, sleep } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import { orderedChanges } from "../mode/index.ts";
import type { ModeChange, Node } from "../model/index.ts";
import { type NodePlan, PROOF_PORT } from "../plan/index.ts";
import {
  type ProbeIdentity,
  type ProbePacket,
  probeIdentity,
  runFirstRound,
  runFullRound,
} from "../probe/index.ts";
import type { EvidenceBook, EvidenceWriter } from "./evidence.ts";
import { ProofListener, type ProofListenerOptions } from "./proof-listener.ts";
import { proofPartners } from "./proof-partners.ts";

export interface ProverOptions {
  readonly node: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly evidence: Pick<EvidenceBook, "writer">;
  /** What the datastore says now. */
  readonly view: () => ClusterView;
  /** Sends the packets; the rounds of src/probe unless told. */
  readonly rounds?: { readonly first: typeof runFirstRound; readonly full: typeof runFullRound };
  /** Answers packets; real sockets unless told. */
  readonly listener?: (options: ProofListenerOptions) => Listener;
}

type Round = "first" | "full";
type Listener = Pick<ProofListener, "address" | "moveTo" | "close">;

interface OrderedChange {
  readonly name: string;
  readonly key: Uint8Array;
  /** Who was noted already, so that thousands of packets are one word. */
  readonly noted: Set<string>;
}

interface Running {
  readonly change: string;
  readonly round: Round;
  readonly ended: AbortController;
  done: Promise<void>;
}

const LOOK_AGAIN_MS = 200;
/** Looking takes one part in so many of the time, however many nodes there are. */
const LOOK_SHARE = 20;
/** Partners that are not ready by then are reported so, and the round goes on without them. */
const PARTNERS_WITHIN_MS = 60_000;
/** The driver gives up a little later. */
const ROUND_WITHIN_MS = 12 * 60_000;

export class Prover {
  readonly #options: ProverOptions;
  readonly #listener: Listener;
  #plan: NodePlan | undefined;
  #running: Running | undefined;
  #stopped = false;
  /** Changes that have orders, by what stands for them in packets. */
  readonly #changes = new Map<ProbeIdentity, OrderedChange>();
  readonly #nodes = new Map<ProbeIdentity, string>();

  constructor(options: ProverOptions) {
    this.#options = options;
    const { node, clock } = options;
    const open = options.listener ?? ((of) => new ProofListener(of));
    this.#listener = open({
      ...{ node, clock },
      keyOf: (identity) => this.#changes.get(identity)?.key,
      heard: (packet) => this.#heard(packet),
    });
  }

  /** Answers at this address, before anybody is told of it. @returns why it cannot; undefined if it does already. */
  answerAt(address: IpAddress | undefined): Promise<string | undefined> | undefined {
    if (this.#stopped || address === this.#listener.address) return undefined;
    return this.#listener.moveTo(address);
  }

  /** After each pass, with what the kernel was made to be. */
  step(plan: NodePlan): void {
    this.#plan = plan;
    const { modeChanges, nodes } = this.#options.view();
    const ordered = orderedChanges(modeChanges);
    this.#learn(ordered, nodes);
    const change = ordered.find(({ status }) => (status?.orders?.prove ?? "no") !== "no");
    const round = change?.status?.orders?.prove;
    const running = this.#running;
    if (running && (running.change !== change?.metadata.name || running.round !== round)) {
      running.ended.abort(new Error("the orders name another round, or none"));
      this.#running = undefined;
    }
    if (!change || round === undefined || round === "no" || this.#running || this.#stopped) return;
    this.#start(change, round);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#running?.ended.abort(new Error("the agent ends"));
    await this.#running?.done;
    this.#listener.close();
  }

  #start(change: ModeChange, round: Round): void {
    const running: Running = {
      ...{ change: change.metadata.name, round },
      ended: new AbortController(),
      done: Promise.resolve(),
    };
    this.#running = running;
    const { clock, log } = this.#options;
    const late = new AbortController();
    const bound = clock.schedule(ROUND_WITHIN_MS, () => late.abort(), { unref: true });
    running.done = this.#run(running, change, late.signal)
      .catch((error: unknown) => {
        // Only the end of waiting is thrown; whatever packets do is evidence.
        log.debug({ err: error, change: running.change, round }, "round of the proof ended early");
      })
      .finally(() => bound.cancel());
  }

  async #run(running: Running, change: ModeChange, late: AbortSignal): Promise<void> {
    const { clock, evidence, log, node } = this.#options;
    const { change: name, round } = running;
    const { signal } = running.ended;
    const writer = evidence.writer(name);
    const { proved } = await writer.restored();
    if (signal.aborted || proved === "full" || proved === round) return;
    const { ready, missing } = await this.#awaitPartners(change, writer, signal);
    const address = this.#listener.address;
    const key = this.#changes.get(probeIdentity(name))?.key;
    if (address === undefined || key === undefined) return;
    for (const { node: partner, encapsulation, why } of missing) {
      writer.say({ results: [{ node: partner, encapsulation, error: why }] });
    }
    log.info({ change: name, round, partners: ready.length }, "proof: sends its packets");
    const rounds = this.#options.rounds ?? { first: runFirstRound, full: runFullRound };
    await rounds[round]({
      ...{ node, address, port: PROOF_PORT, change: name, key, partners: ready, clock },
      signal: AbortSignal.any([signal, late]),
      report: (result) => writer.say({ results: [result] }),
    });
    // What could not be sent in time is missing in the evidence, and the verdict says so.
    if (!signal.aborted) writer.say({ proved: round }, "now");
  }

  /** Waits until everybody can be probed, but not for ever. @throws the signal's reason. */
  async #awaitPartners(change: ModeChange, writer: EvidenceWriter, signal: AbortSignal) {
    const { clock, node, view } = this.#options;
    const untilMs = clock.monotonicMs() + PARTNERS_WITHIN_MS;
    for (;;) {
      const startedMs = clock.monotonicMs();
      const plan = this.#plan;
      const own = view().nodeModes.find(({ metadata }) => metadata.name === node)?.status;
      const said = own?.changes?.[change.metadata.name];
      const { ready, waiting } = plan
        ? proofPartners({ node, change, view: view(), plan })
        : { ready: [], waiting: [] };
      const isReady = said?.widened === true && this.#listener.address !== undefined;
      const problems = isReady ? waiting.map(({ why }) => why) : (said?.waiting ?? [NOT_READY]);
      writer.say({ ready: isReady, problems });
      if (isReady && (waiting.length === 0 || clock.monotonicMs() >= untilMs)) {
        return { ready, missing: waiting };
      }
      const tookMs = clock.monotonicMs() - startedMs;
      await sleep(clock, Math.max(LOOK_AGAIN_MS, tookMs * LOOK_SHARE), signal);
    }
  }

  #learn(ordered: readonly ModeChange[], nodes: readonly Node[]): void {
    const before = new Map(this.#changes);
    this.#changes.clear();
    for (const { metadata, status } of ordered) {
      const identity = probeIdentity(metadata.name);
      const key = Buffer.from(status?.orders?.key ?? "", "hex");
      const noted = before.get(identity)?.noted ?? new Set();
      this.#changes.set(identity, { name: metadata.name, key, noted });
    }
    this.#nodes.clear();
    if (ordered.length === 0) return;
    for (const { metadata } of nodes) this.#nodes.set(probeIdentity(metadata.name), metadata.name);
  }

  #heard({ change: identity, kind, sender }: ProbePacket): void {
    const change = this.#changes.get(identity);
    const node = this.#nodes.get(sender);
    if (!change || node === undefined || change.noted.has(`${kind} ${sender}`)) return;
    change.noted.add(`${kind} ${sender}`);
    const writer = this.#options.evidence.writer(change.name);
    writer.say(kind === "first" ? { heard: [node] } : { reached: [node] });
  }
}

const NOT_READY = "this node is not ready to be probed";
