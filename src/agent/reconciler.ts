/**
 * One pass from what the datastore and BGP say to what the kernel holds, in the order that makes a
 * mode change hitless:
 *
 *   1. read the kernel and decide what must be receivable (the gate);
 *   2. plan; if the plan would send something not announced yet, announce it, wait until the
 *      announcement can be read back, and plan again with what the others say then;
 *   3. apply: receive paths first, routes by atomic replace, removals last (the dataplane's order);
 *   4. publish what the kernel really accepts and sends.
 *
 * Without a datastore steps 2 and 4 cannot happen, so nothing new is ever sent: the node goes on
 * as it is.
 */

import { setImmediate } from "node:timers/promises";
import type { Actual, Dataplane, KernelState } from "../dataplane/index.ts";
import { type Clock, errorText, formatAddress, type IpAddress, type Prefix } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import { type Encapsulation, encapsulations, type NodeModeStatus } from "../model/index.ts";
import {
  addressesOf,
  type NodePlan,
  Planner,
  type PrefixChange,
  type PrefixFacts,
  plan,
  type Snapshot,
} from "../plan/index.ts";
import { type Announcement, type Announcer, sortedEncapsulations } from "./announcer.ts";
import type { MeshStanding } from "./bgp-runner.ts";
import { heldProbe } from "./change-progress.ts";
import type { Cluster } from "./cluster.ts";
import { earliest } from "./earliest.ts";
import type { LiveMtu, LiveMtuOutput } from "./live-mtu.ts";
import { type Basis, outcomeOf } from "./outcome.ts";
import { PassInput, type PassInputOptions } from "./pass-input.ts";
import { TunnelGate } from "./tunnel-gate.ts";
import { verifyKernel } from "./verify-kernel.ts";

/** A tunnel that sockets use is looked at so often. */
const KEPT_CHECK_MS = 5_000;
/** A kernel that is not as planned when it is to be verified, too. */
const UNLIKE_CHECK_MS = 500;

export interface ReconcilerOptions extends PassInputOptions {
  readonly cluster: Cluster;
  readonly dataplane: Dataplane;
  readonly announcer: Announcer;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  /** What BGP and affinities say of one prefix now. */
  readonly factsAt: (prefix: Prefix) => PrefixFacts;
  /** While a change of the mesh runs. */
  readonly mesh?: () => MeshStanding | undefined;
  /** Tells the CNI plugin the MTU of new pods; says why it cannot. */
  readonly writeMtu: (mtu: number) => string | undefined;
  /** Answers at the probe address that the kernel holds, before anybody is told of it; says why it cannot. Undefined: as before. */
  readonly answerAt: (address: IpAddress | undefined) => Promise<string | undefined> | undefined;
  /** Changes the MTU of running pods; absent: they stay as they were made. */
  readonly liveMtu?: LiveMtu;
  /** How long a packet may be on its way when its encapsulation is given up. */
  readonly drainMs: number;
}

export interface PassResult {
  readonly plan: NodePlan;
  readonly actual: Actual;
  readonly receive: readonly Encapsulation[];
  /** As it was read before the pass changed anything. */
  readonly kernel: KernelState;
  readonly problems: readonly string[];
  /** What the others are told. */
  readonly outcome: Announcement;
  /** Why the others could not be told; what depends on their knowing has not happened. */
  readonly untold: string | undefined;
  /** Monotonic time at which a pass is due even if nothing happens. */
  readonly wakeAtMs: number | undefined;
}

export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #input: PassInput;
  readonly #gate: TunnelGate;
  /** What {@link passOver} builds on. */
  #settled:
    | { readonly planner: Planner; readonly result: PassResult; readonly keeping: boolean }
    | undefined;
  #receive: readonly Encapsulation[] | undefined;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#input = new PassInput(options);
    this.#gate = new TunnelGate(options);
  }

  /** @throws AGENT_NOT_READY while the node has no address to work with; what the kernel reading throws. */
  async pass(): Promise<PassResult> {
    const { announcer, node, version, dataplane, clock, log } = this.#options;
    const startedMs = clock.monotonicMs();
    const stored = this.#input.facts();
    const local = stored.nodes.find((candidate) => candidate.name === node);
    if (!local) throw this.#input.homeless(stored);
    const kernel = await dataplane.read(...addressesOf(local).map(formatAddress));
    const facts = this.#input.withMasks(stored, kernel);
    const gate = await this.#gate.step(facts, kernel);
    const { kept } = gate;
    this.#receive = gate.receive;
    let basis: Basis = facts;
    let [snapshot, live] = this.#limited(this.#input.snapshot(facts, kernel, gate.receive), kernel);
    let untold: string | undefined;

    this.#settled = undefined;
    const draft = await this.#planner({ ...snapshot, announced: encapsulations });
    const wishes = wouldSend(draft.plan, kernel.current);
    const unannounced = wishes.filter((wish) => !snapshot.announced.includes(wish));
    if (unannounced.length > 0) {
      untold = await this.#tell(this.#intent(wishes));
      // Others may have withdrawn meanwhile: only what is read after the announcement counts.
      const later = this.#input.withMasks(this.#input.facts(), kernel);
      basis = later;
      [snapshot, live] = this.#limited(this.#input.snapshot(later, kernel, gate.receive), kernel);
    }
    const planner = await this.#planner(snapshot);
    const wanted = planner.plan;
    const unwritten = this.#options.writeMtu(wanted.mtu.pods);
    const actual = await dataplane.apply(wanted);
    const { warnings } = facts;
    const mtu = live?.tell;
    const failed = actual.failures.map(({ object }) => object);
    const changes = basis.view.modeChanges;
    const unlike = await verifyKernel(dataplane, { plan: wanted, changes });
    const answering = this.#options.answerAt(heldProbe({ plan: wanted, failed }));
    const unanswered = answering && (await answering);
    const outcome = outcomeOf({
      ...{ node, version, plan: wanted, actual, offer: gate.offer, warnings, mtu, basis },
      kept: kept.map(({ line }) => line),
      unlike,
      mesh: this.#options.mesh?.(),
      ...{ probeProblem: this.#options.probe().problem, unanswered },
    });
    untold ??= await this.#tell(outcome);
    log.debug(
      { changes: actual.changes, tookMs: Math.round(clock.monotonicMs() - startedMs) },
      "pass done",
    );
    const result = {
      plan: wanted,
      actual,
      receive: gate.receive,
      kernel,
      problems: [...facts.problems, ...warnings, ...(unwritten ? [unwritten] : [])],
      outcome,
      untold,
      wakeAtMs: earliest(
        gate.wakeAtMs,
        live?.wakeAtMs,
        announcer.dueMs,
        // Nobody tells when a socket is closed.
        kept.length > 0 ? clock.monotonicMs() + KEPT_CHECK_MS : undefined,
        unlike.length > 0 ? clock.monotonicMs() + UNLIKE_CHECK_MS : undefined,
      ),
    };
    this.#settled = { planner, result, keeping: snapshot.keepUnplannedRoutes };
    return result;
  }

  /**
   * What a pass would do if nothing but the facts of these prefixes had changed since the last one, at the
   * cost of these; nothing is published. Undefined if that does not suffice: a whole pass is needed then.
   */
  async passOver(prefixes: readonly Prefix[]): Promise<PassResult | undefined> {
    const { announcer, dataplane, bgpConverged, factsAt } = this.#options;
    const settled = this.#settled;
    if (settled === undefined || settled.keeping === bgpConverged()) return undefined;
    // Until this has gone well, what the planner holds is not what the kernel does.
    this.#settled = undefined;
    const { planner } = settled;
    // Not what the planner was loaded with: the end of that pass may have withdrawn some of it.
    const announced = announcer.said?.sends ?? [];
    const changes: PrefixChange[] = [];
    for (const prefix of prefixes) {
      const change = planner.change(prefix, factsAt(prefix));
      if (change === "nothing") continue;
      // What cannot go as it should may wait for an announcement of ours, and is to be told.
      const waits =
        change === "all" ||
        change.destinations.some(
          ({ chosen, wanted }) => chosen !== wanted || !announced.includes(wanted),
        );
      if (waits) return undefined;
      changes.push(change);
    }
    const { plan: wanted } = planner;
    const actual = await dataplane.applyChanges(wanted, changes);
    if (actual === undefined || actual.failures.length > 0) return undefined;
    const result = { ...settled.result, plan: wanted, actual };
    this.#settled = { ...settled, result };
    return result;
  }

  /** Plans a whole snapshot; with very many prefixes the event loop has its turns meanwhile. */
  async #planner(snapshot: Snapshot): Promise<Planner> {
    const steps = Planner.load(snapshot);
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
      await setImmediate();
    }
  }

  /** With what pods are limited to while MTUs change. */
  #limited(snapshot: Snapshot, kernel: KernelState): [Snapshot, LiveMtuOutput | undefined] {
    const { announcer, cluster, clock, liveMtu } = this.#options;
    const live = liveMtu?.step({
      snapshot,
      podMtus: kernel.podMtus,
      said: announcer.said?.mtu,
      nodeModes: cluster.view().nodeModes,
      nowMs: clock.monotonicMs(),
    });
    return [live?.podMtu ? { ...snapshot, podMtu: live.podMtu } : snapshot, live];
  }

  /**
   * The plan that a pass would come to now, without deciding, announcing or writing anything; undefined
   * before the first pass. @throws what the kernel reading throws.
   */
  async preview(): Promise<NodePlan | undefined> {
    const { node, dataplane } = this.#options;
    const stored = this.#input.facts();
    const local = stored.nodes.find((candidate) => candidate.name === node);
    if (!local || this.#receive === undefined) return undefined;
    const kernel = await dataplane.read(...addressesOf(local).map(formatAddress));
    const facts = this.#input.withMasks(stored, kernel);
    return plan(this.#input.snapshot(facts, kernel, this.#receive));
  }

  /** What this node may send from now on; said before the first such route exists. */
  #intent(wishes: readonly Encapsulation[]): Announcement {
    const { cluster, node, version } = this.#options;
    const { updatedAt: _, ...before }: Partial<NodeModeStatus> & Announcement = cluster.nodeMode(
      node,
    )?.status ?? {
      accepts: [],
      sends: [],
      destinations: {},
      pools: {},
      failures: [],
      agentVersion: version,
    };
    return { ...before, sends: sortedEncapsulations([...before.sends, ...wishes]) };
  }

  /** @returns why it could not be said. */
  async #tell(announcement: Announcement): Promise<string | undefined> {
    try {
      await this.#options.announcer.publish(announcement);
      return undefined;
    } catch (error) {
      return `cannot tell the others what this node accepts and sends: ${errorText(error)}`;
    }
  }
}

/** Everything the kernel sends now and would send after the plan. */
function wouldSend(draft: NodePlan, current: ReadonlyMap<string, Encapsulation>): Encapsulation[] {
  const chosen = draft.destinations.flatMap(({ chosen }) => (chosen ? [chosen] : []));
  return sortedEncapsulations([...current.values(), ...chosen]);
}
