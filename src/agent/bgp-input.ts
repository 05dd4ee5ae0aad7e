/**
 * Puts together what the datastore, the secrets and the services say that this node is to speak, and brings
 * the speaker to it.
 */

import { isDeepStrictEqual } from "node:util";
import type { OriginatedRoute } from "../bgp/index.ts";
import type { Datastore } from "../datastore/index.ts";
import {
  bgpAddresses,
  type ClusterView,
  clusterFacts,
  serviceCidrs,
  serviceSettings,
} from "../facts/index.ts";
import { type Clock, formatPrefix, type Prefix, type Timer } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import { meshChanges } from "../mode/index.ts";
import { type HostRoute, withPeerWays } from "../plan/index.ts";
import type { BgpRunner } from "./bgp-runner.ts";
import type { Cluster } from "./cluster.ts";
import { keptLines, Parting, type PartingOutput } from "./parting.ts";
import { type BgpPlan, bgpPlan } from "./peering/index.ts";
import { hashedRouterId } from "./router-id.ts";
import { SecretFiles } from "./secret-files.ts";
import { ServiceWatch } from "./services/index.ts";

export interface BgpInputOptions {
  readonly node: string;
  readonly store: Datastore;
  readonly cluster: Pick<Cluster, "view">;
  readonly bgp: Pick<BgpRunner, "configure" | "changeOriginated" | "carrying" | "untold">;
  readonly secretsDirectory?: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** Called with what is to be done, when services or the host's routes want the speaker to tell something else. */
  readonly changed: (work: () => Promise<void>) => void;
}

/** Sessions do not depend on it, and to make one for each node is costly. */
const NO_MAC = "";
/** Endpoints come and go in droves. */
const DEBOUNCE_MS = 10;
/**
 * Peers keep what a predecessor of this agent told them until this one has told all of its own (RFC 4724
 * section 4.2), 120 s by default: it waits for the services, but not so long that pods lose theirs.
 */
const SERVICES_WITHIN_MS = 30_000;

export class BgpInput {
  readonly #options: BgpInputOptions;
  readonly #secrets: SecretFiles;
  readonly #services: ServiceWatch;
  readonly #parting = new Parting();
  #kept: PartingOutput | undefined;
  #dueTimer: Timer | undefined;
  #partingTimer: Timer | undefined;
  /** Runs from when the services are first waited for, and is over when they are not any more. */
  #patience: { readonly timer: Timer; over: boolean } | undefined;
  #hasSpoken = false;
  /** What the node tells but for services, and by the text of its prefixes. */
  #own: readonly OriginatedRoute[] = [];
  #ownTexts: ReadonlySet<string> = new Set();
  /** With services; the identical list until something in it changes. */
  #all: readonly OriginatedRoute[] | undefined;
  #hostRoutes: readonly HostRoute[] | undefined;
  #usesHostRoutes = false;

  constructor(options: BgpInputOptions) {
    this.#options = options;
    const { store, clock, log, changed } = options;
    this.#secrets = new SecretFiles(options.secretsDirectory);
    this.#services = new ServiceWatch({
      ...{ store, clock, log },
      changed: () => {
        this.#all = undefined;
        this.#dueTimer ??= clock.schedule(DEBOUNCE_MS, () => {
          this.#dueTimer = undefined;
          changed(() => this.#tellServices());
        });
      },
    });
  }

  /** Once the datastore has been read. @throws what the speaker throws. */
  async configure(): Promise<void> {
    const { node, cluster, bgp, log } = this.#options;
    const view = cluster.view();
    const settings = serviceSettings(view, node);
    if (this.#services.follow(settings)) this.#all = undefined;
    if (!this.#hasSpoken && this.#waits()) return;
    this.#hasSpoken = true;
    const { blocks, workloads, settings: ways } = clusterFacts(view, node, () => NO_MAC);
    const secret = this.#secrets.read;
    const routes = this.#hostRoutes;
    const hostRoutes = routes && withPeerWays({ routes }, ways).routes;
    const of = { view, node, blocks, workloads, serviceCidrs: serviceCidrs(settings), hostRoutes };
    const plan = bgpPlan({ ...of, hashedRouterId, secret });
    this.#usesHostRoutes = plan?.usesHostRoutes ?? false;
    this.#takeOwn(plan?.config.originate ?? []);
    await bgp.configure(plan && this.#withServices(this.#withParting(plan, view)));
    log.trace("bgp configured");
  }

  /** Nothing but this depends on them, and it costs nothing but this. */
  async #tellServices(): Promise<void> {
    if (!this.#hasSpoken) {
      await this.configure();
      return;
    }
    const { add, remove } = this.#services.takeChange();
    // What is the node's own stays, with what it is told with.
    const isFree = (prefix: Prefix) => !this.#ownTexts.has(formatPrefix(prefix));
    this.#options.bgp.changeOriginated({
      add: add.filter(isFree).map((prefix) => ({ prefix })),
      remove: remove.filter(isFree),
    });
  }

  /** Only another list makes another list of all. */
  #takeOwn(own: readonly OriginatedRoute[]): void {
    if (isDeepStrictEqual(own, this.#own)) return;
    this.#own = own;
    this.#ownTexts = new Set(own.map(({ prefix }) => formatPrefix(prefix)));
    this.#all = undefined;
  }

  #withServices(plan: BgpPlan): BgpPlan {
    return { ...plan, config: { ...plan.config, originate: this.#originated() } };
  }

  #originated(): readonly OriginatedRoute[] {
    this.#all ??= [
      ...this.#own,
      ...this.#services
        .told()
        .filter((prefix) => !this.#ownTexts.has(formatPrefix(prefix)))
        .map((prefix) => ({ prefix })),
    ];
    return this.#all;
  }

  /** What was read of the host: filters may ask by which interface a route leaves. */
  noteHostRoutes(routes: readonly HostRoute[]): void {
    const before = this.#hostRoutes;
    this.#hostRoutes = routes;
    if (this.#usesHostRoutes && !sameRoutes(before, routes)) this.#again();
  }

  /** With sessions that are not asked for any more, as long as they are needed. */
  #withParting(plan: BgpPlan, view: ClusterView): BgpPlan {
    const { bgp, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const output = this.#parting.step({
      ...{ plan, nowMs, carrying: bgp.carrying(), untold: (without) => bgp.untold(without) },
      nodes: new Set(view.nodes.flatMap(bgpAddresses)),
      ordered: meshChanges(view.modeChanges),
    });
    this.#kept = output;
    this.#partingTimer?.cancel();
    const { dueMs } = output;
    this.#partingTimer =
      dueMs === undefined
        ? undefined
        : clock.schedule(Math.max(0, dueMs - nowMs), () => this.#again());
    return output.plan;
  }

  #again(): void {
    this.#options.changed(() => this.configure());
  }

  /** What is kept for now, and what is not known yet of what is to be told. */
  get problems(): readonly string[] {
    const lines = this.#kept ? keptLines(this.#kept) : [];
    if (this.#services.synced) return lines;
    const { lastError = "no answer" } = this.#services;
    return [...lines, `service addresses are not known yet: ${lastError}`];
  }

  async stop(): Promise<void> {
    this.#dueTimer?.cancel();
    this.#partingTimer?.cancel();
    this.#patience?.timer.cancel();
    await this.#services.stop();
  }

  #waits(): boolean {
    if (this.#services.synced) return false;
    this.#patience ??= this.#beginPatience();
    return !this.#patience.over;
  }

  #beginPatience(): { readonly timer: Timer; over: boolean } {
    const timer = this.#options.clock.schedule(SERVICES_WITHIN_MS, () => {
      patience.over = true;
      // Nothing else may happen for long: the next pass may be half a minute away.
      if (!this.#hasSpoken) this.#again();
    });
    const patience = { timer, over: false };
    return patience;
  }
}

function sameRoutes(before: readonly HostRoute[] | undefined, now: readonly HostRoute[]): boolean {
  const text = (routes: readonly HostRoute[]) =>
    routes.map(({ destination, device }) => `${formatPrefix(destination)} ${device}`).join();
  return before !== undefined && text(before) === text(now);
}
