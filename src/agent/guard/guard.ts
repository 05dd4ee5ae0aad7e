/**
 * The guard of a node: while a mode change orders it, sends live probes, reads counters and BGP states, has them
 * judged, and says what came of it. Without orders it does nothing at all.
 */

import type { ClusterView } from "../../facts/index.ts";
import {
  type Clock,
  errorText,
  familyOf,
  type IpAddress,
  parseAddress,
  type Timer,
} from "../../lib/index.ts";
import type { Log } from "../../lib/log/index.ts";
import {
  type Counters,
  type GuardSight,
  GuardWatch,
  guardedChange,
  isMoved,
  probedChange,
  probePartners,
} from "../../mode/index.ts";
import type { ModeChange, Node, NodeMode } from "../../model/index.ts";
import type { NodePlan } from "../../plan/index.ts";
import { EchoSocket } from "../../probe/index.ts";
import type { BgpRunner } from "../bgp-runner.ts";
import type { Cluster } from "../cluster.ts";
import type { EvidenceBook } from "../evidence.ts";
import { type EchoPort, LiveProbes, type ProbedPartner, TICK_MS } from "./live-probes.ts";
import { carriers, readCounters } from "./read-counters.ts";
import { foreignPeers, insteadOfMesh, type SeenPeer, SessionWatch } from "./sessions.ts";

/** Counters, sessions and orders are looked at this often. */
const LOOK_EVERY_MS = 1_000;

export interface GuardOptions {
  readonly node: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly evidence: EvidenceBook;
  readonly view: () => ClusterView;
  /** Sessions with peers that are none of our nodes. */
  readonly peers: () => readonly SeenPeer[];
  /** Largest packet of pods now. */
  readonly podMtu: () => number | undefined;
  readonly counters: () => Counters;
  readonly openSocket: (address: IpAddress) => EchoPort;
}

/** The guard of an agent, on its own kernel. */
export function agentGuard(agent: {
  readonly node: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly evidence: EvidenceBook;
  readonly cluster: Pick<Cluster, "view">;
  readonly bgp: Pick<BgpRunner, "peers" | "mesh">;
  /** What the kernel holds; undefined before the first pass. */
  readonly plan: () => Pick<NodePlan, "uplink" | "mtu"> | undefined;
}): Guard {
  const { cluster, bgp, plan, clock } = agent;
  return new Guard({
    ...agent,
    view: () => cluster.view(),
    peers: () => {
      const view = cluster.view();
      return [...foreignPeers(bgp.peers(), view), ...insteadOfMesh(view, () => bgp.mesh())];
    },
    podMtu: () => plan()?.mtu.pods,
    counters: () => readCounters(carriers(plan()?.uplink)),
    openSocket: (address) => new EchoSocket({ address, clock }),
  });
}

export class Guard {
  readonly #options: GuardOptions;
  #running: RunningGuard | undefined;
  #sent = 0;
  #lost = 0;
  #breaches = 0;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /** Probes sent and lost, and breaches seen, since the agent started. */
  get totals(): { readonly sent: number; readonly lost: number; readonly breaches: number } {
    const { sent = 0, lost = 0, breaches = 0 } = this.#running?.totals ?? {};
    return {
      sent: this.#sent + sent,
      lost: this.#lost + lost,
      breaches: this.#breaches + breaches,
    };
  }

  /** To be called when orders may have changed. */
  follow(): void {
    const { view } = this.#options;
    const { pools, modeChanges } = view();
    const change = guardedChange(pools, modeChanges);
    const ordered = change?.status?.orders?.guard ? change.metadata.name : undefined;
    if (this.#running?.change === ordered) return;
    this.stop();
    if (ordered !== undefined) this.#running = new RunningGuard(this.#options, ordered);
  }

  stop(): void {
    const { sent, lost, breaches } = this.totals;
    [this.#sent, this.#lost, this.#breaches] = [sent, lost, breaches];
    this.#running?.stop();
    this.#running = undefined;
  }
}

class RunningGuard {
  readonly change: string;
  readonly #options: GuardOptions;
  readonly #sessions = new SessionWatch();
  #timer: Timer | undefined;
  #stopped = false;
  #watch: GuardWatch | undefined;
  #probes: LiveProbes | undefined;
  #address: IpAddress | undefined;
  #impossible: string | undefined;
  #unprobed: readonly string[] = [];
  #lookedMs = Number.NEGATIVE_INFINITY;
  #sent = 0;
  #lost = 0;
  #breaches = 0;

  constructor(options: GuardOptions, change: string) {
    this.#options = options;
    this.change = change;
    options.log.info({ change }, "guard begins");
    void options.evidence
      .writer(change)
      .restored()
      .then(({ guard }) => {
        if (this.#stopped) return;
        this.#watch = new GuardWatch({ nowMs: options.clock.monotonicMs(), before: guard });
        this.#tick();
      });
  }

  get totals(): { readonly sent: number; readonly lost: number; readonly breaches: number } {
    const { sent = 0, lost = 0 } = this.#probes?.totals() ?? {};
    return { sent: this.#sent + sent, lost: this.#lost + lost, breaches: this.#breaches };
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#probes?.close();
    this.#options.log.info({ change: this.change, ...this.totals }, "guard ends");
  }

  #tick(): void {
    const { clock, podMtu, log } = this.#options;
    this.#timer = clock.schedule(TICK_MS, () => this.#tick());
    try {
      const lost = this.#probes?.tick(podMtu()) ?? false;
      if (lost || clock.monotonicMs() - this.#lookedMs >= LOOK_EVERY_MS) this.#look();
    } catch (error) {
      // One look that failed is not the end of the guard.
      log.warn({ err: error }, "guard could not look");
    }
  }

  #look(): void {
    const { clock, view, evidence, peers, counters, log } = this.#options;
    const { pools, modeChanges, nodeModes, nodes } = view();
    const change = guardedChange(pools, modeChanges);
    const orders = change?.status?.orders;
    // The end comes by `follow`: nothing is judged by orders that are not there.
    if (!orders?.guard || change?.metadata.name !== this.change) return;
    const nowMs = clock.monotonicMs();
    const regular = nowMs - this.#lookedMs >= LOOK_EVERY_MS;
    if (regular) this.#lookedMs = nowMs;
    // A node that leaves takes its routes along: what does not come back from there is no loss.
    if (regular || this.#hasLeaver(nodes)) {
      const { seed = 0 } = change.spec;
      const { node } = this.#options;
      this.#followPartners(nodeModes, probePartners({ node, nodes, nodeModes, seed }));
    }
    const { moved, blocks = [] } = orders;
    const sight: GuardSight = {
      nowMs,
      step: orders.step,
      moving: moved === "all" || moved.length + blocks.length > 0,
      unmoved: this.#unmoved(change, nodeModes),
      paths: this.#probes?.reports() ?? [],
      ...(regular && { counters: counters() }),
      sessions: this.#sessions.look(nowMs, peers()),
      probes: this.#probes?.totals() ?? noProbes,
      unprobed: this.#unprobed,
      impossible: this.#impossible,
    };
    const word = this.#watch?.look(sight);
    if (!word) return;
    if (word.baselineEnded) this.#probes?.judge();
    this.#breaches = word.guard.breaches.length;
    if (!word.tell) return;
    const { step, quiet, breaches } = word.guard;
    log[breaches.length > 0 ? "warn" : "info"]({ step, quiet, breaches }, "guard says");
    evidence.writer(this.change).say({ guard: word.guard }, "now");
  }

  /** Opens the socket when this node's address is there, anew when it is another one. */
  #followPartners(nodeModes: readonly NodeMode[], partners: readonly string[]): void {
    const { node, clock, openSocket } = this.#options;
    const addresses = new Map(
      nodeModes.map(({ metadata, status }) => [metadata.name, status?.probeAddress]),
    );
    const own = addresses.get(node);
    const address = own === undefined ? undefined : parseAddress(own);
    if (address !== this.#address) this.#closeProbes();
    if (address === undefined) {
      const { pools, modeChanges } = this.#options.view();
      // Where there is no pool to probe in, nothing is expected of probes.
      if (probedChange(pools, modeChanges) === undefined) return;
      this.#impossible = "this node has no probe address: nothing is probed";
      return;
    }
    try {
      this.#probes ??= new LiveProbes({ clock, socket: openSocket(address) });
      this.#address = address;
      this.#impossible = undefined;
    } catch (error) {
      this.#impossible = `no probes can be sent: ${errorText(error)}`;
      return;
    }
    const probed = partners.flatMap((partner): ProbedPartner[] => {
      const text = addresses.get(partner);
      const to = text === undefined ? undefined : parseAddress(text);
      return to === undefined || familyOf(to) !== familyOf(address)
        ? []
        : [{ node: partner, address: to }];
    });
    this.#unprobed = partners.filter((partner) => !probed.some((one) => one.node === partner));
    this.#probes.follow(probed);
  }

  #hasLeaver(nodes: readonly Node[]): boolean {
    const names = new Set(nodes.map(({ metadata }) => metadata.name));
    return this.#probes?.reports().some(({ node }) => !names.has(node)) ?? false;
  }

  #closeProbes(): void {
    const { sent, lost } = this.totals;
    [this.#sent, this.#lost] = [sent, lost];
    this.#probes?.close();
    this.#probes = undefined;
    this.#address = undefined;
  }

  /** This node and its partners, those that were told to move and have not said that they have. */
  #unmoved(change: ModeChange, nodeModes: readonly NodeMode[]): string[] {
    const watched = new Set([
      this.#options.node,
      ...(this.#probes?.reports().map(({ node }) => node) ?? []),
    ]);
    const blocks = change.status?.orders?.blocks?.length ?? 0;
    return nodeModes.flatMap(({ metadata: { name }, status }) => {
      if (!watched.has(name)) return [];
      const said = status?.changes?.[this.change];
      const isLate = (isMoved(change, name) && !said?.moved) || (said?.blocks ?? 0) < blocks;
      return isLate ? [name] : [];
    });
  }
}

const noProbes = { sent: 0, lost: 0, rttP50Us: 0, rttP99Us: 0, longestGapMs: 0 };
