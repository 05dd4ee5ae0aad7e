/**
 * The node agent: watches the datastore, speaks BGP, plans, applies, reports. Stopping or killing
 * it changes nothing in the kernel; a new one adopts what it finds.
 */

import { join } from "node:path";
import { type Dataplane, openDataplane } from "../dataplane/index.ts";
import type { Datastore } from "../datastore/index.ts";
import { Ipam } from "../ipam/index.ts";
import {
  type Clock,
  errorText,
  formatPrefix,
  type Prefix,
  SwitchyardError,
  type Timer,
} from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import { meshChanges, vxlanMacOf, widenedPools } from "../mode/index.ts";
import { PROBE_DEVICE } from "../plan/index.ts";
import { Announcer } from "./announcer.ts";
import { BgpInput } from "./bgp-input.ts";
import { BgpRunner, type BgpRunnerOptions } from "./bgp-runner.ts";
import { ChangeParts } from "./change-parts.ts";
import { Cluster } from "./cluster.ts";
import { FailureBook } from "./failure-book.ts";
import { look } from "./host/look.ts";
import { HostPublisher } from "./host/publisher.ts";
import { readHost } from "./host/reading.ts";
import { Journal } from "./journal.ts";
import { LiveMtu } from "./live-mtu.ts";
import { MtuFile } from "./mtu-file.ts";
import { useOf } from "./needed-tunnels.ts";
import { ProbeAddress } from "./probe-address.ts";
import { probedPool } from "./probing.ts";
import { type PassResult, Reconciler } from "./reconciler.ts";
import type { AgentDiff, AgentStatus } from "./status.ts";
import { serveStatus } from "./status-server.ts";
import { syncTunnelAddresses } from "./tunnel-addresses.ts";

export interface AgentOptions {
  readonly node: string;
  readonly store: Datastore;
  /** Holds agent.sock. */
  readonly stateDirectory: string;
  /** Holds the passwords of BGP sessions, as `SECRET/KEY`; /etc/switchyard/secrets unless told. */
  readonly secretsDirectory?: string;
  /** Where a CNI plugin reads the MTU of new pods. */
  readonly mtuFile: string;
  /** `live`: the MTU of running pods follows the mode; `fixed`: it stays as it was made. */
  readonly podMtu?: "live" | "fixed";
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  /** How long a given-up encapsulation is still received; 5,000 ms unless told. */
  readonly drainMs?: number;
  /** The kernel's own unless told. */
  readonly openDataplane?: () => Promise<Dataplane>;
  readonly makeSpeaker?: BgpRunnerOptions["makeSpeaker"];
  readonly readHost?: typeof readHost;
}

/** Changes that come together are handled together. */
const DEBOUNCE_MS = 10;
/** Changed prefixes up to which they are handled by themselves; planning them keeps the loop some 10 ms. */
const MOST_CHANGED = 500;
/** After changes of prefixes alone, a whole pass tells of them and looks at everything. */
const TELL_CHANGES_MS = 1_000;
/** Such passes take one part in so many of the time, however long each takes. */
const PASS_SHARE = 10;
/** The kernel is compared with the plan at least this often, whatever events say. */
const COMPARE_EVERY_MS = 30_000;
const DRAIN_MS = 5_000;
const PROBE = "probe address";

export class Agent {
  readonly #options: AgentOptions;
  readonly #cluster: Cluster;
  readonly #bgp: BgpRunner;
  readonly #bgpInput: BgpInput;
  readonly #ipam: Ipam;
  readonly #probe: ProbeAddress;
  readonly #startedAtMs: number;
  readonly #failures = new FailureBook();
  readonly #changes: ChangeParts;
  readonly #host: HostPublisher;
  #dataplane: Dataplane | undefined;
  #reconciler: Reconciler | undefined;
  #statusServer: { close(): Promise<void> } | undefined;
  #timer: Timer | undefined;
  #timerDueMs = Number.POSITIVE_INFINITY;
  /** Prefixes of which alone something has changed since the last pass of any kind. */
  readonly #changed = new Map<string, Prefix>();
  #changedTimer: Timer | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;
  #last: PassResult | undefined;
  #passes = 0;
  #tookMs = 0;
  readonly #errors = new Map<string, string>();
  readonly #journal: Journal;
  #passQueued = false;

  constructor(options: AgentOptions) {
    this.#options = options;
    const { clock, log, store } = options;
    this.#startedAtMs = clock.now();
    this.#cluster = new Cluster({ store, clock, log });
    const { makeSpeaker } = options;
    this.#bgp = new BgpRunner({
      clock,
      log,
      changed: (prefixes) => this.#noted(prefixes),
      makeSpeaker,
    });
    this.#journal = new Journal(log);
    const bgp = this.#bgp;
    const seen = { cluster: this.#cluster, bgp, last: () => this.#last, vxlanMac: vxlanMacOf };
    const read = options.readHost ?? readHost;
    this.#host = new HostPublisher({
      ...{ store, node: options.node, clock, log },
      look: () => look({ ...options, ...seen, read }),
    });
    this.#changes = new ChangeParts({
      ...{ ...options, cluster: this.#cluster, bgp },
      plan: () => this.#last?.plan,
    });
    this.#bgpInput = new BgpInput({
      ...{ ...options, cluster: this.#cluster, bgp },
      changed: (work) => this.#next(() => this.#speak(work)),
    });
    this.#ipam = new Ipam({ store, clock });
    this.#probe = new ProbeAddress(this.#ipam, options.node);
  }

  async start(): Promise<void> {
    const { node, store, clock, log, stateDirectory, version } = this.#options;
    this.#statusServer = await serveStatus(join(stateDirectory, "agent.sock"), {
      status: () => this.status(),
      diff: () => this.diff(),
      bgp: () => this.#bgp.source(),
    });
    const open = this.#options.openDataplane ?? (() => openDataplane({ clock, log }));
    this.#dataplane = await open();
    this.#dataplane.onDrift(() => this.#wake(DEBOUNCE_MS));
    const mtuFile = new MtuFile(this.#options.mtuFile);
    const { drainMs = DRAIN_MS, podMtu = "live" } = this.#options;
    this.#reconciler = new Reconciler({
      node,
      cluster: this.#cluster,
      dataplane: this.#dataplane,
      announcer: new Announcer({ store, cluster: this.#cluster, node, clock }),
      clock,
      log,
      version,
      vxlanMac: vxlanMacOf,
      learned: () => this.#bgp.learned(),
      factsAt: (prefix) => ({
        blocks: this.#cluster.blocksAt(prefix),
        learned: this.#bgp.learnedAt(prefix),
      }),
      mesh: () => (meshChanges(this.#cluster.view().modeChanges) ? this.#bgp.mesh() : undefined),
      bgpConverged: () => this.#bgp.converged(),
      ...(podMtu === "live" && { liveMtu: new LiveMtu({ drainMs, held: mtuFile.held }) }),
      probe: () => {
        const problem = this.#errors.get(PROBE);
        return { address: this.#probe.current, ...(problem !== undefined && { problem }) };
      },
      answerAt: (address) => this.#changes.answerAt(address),
      writeMtu: (mtu) => mtuFile.write(mtu),
      drainMs,
    });
    this.#cluster.start((blocks) => {
      // Own blocks are advertised too.
      const own = blocks?.some(({ nodes }) => nodes.includes(node)) ?? true;
      this.#noted(own ? undefined : blocks?.map(({ prefix }) => prefix));
    });
    this.#changes.start();
    this.#wake(0);
  }

  /** Lets go of everything without changing the kernel; neighbours keep our routes. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#changedTimer?.cancel();
    await this.#running;
    await this.#changes.stop();
    await this.#host.stop();
    await this.#bgpInput.stop();
    await this.#bgp.stop(false);
    await this.#cluster.stop();
    await this.#dataplane?.close();
    await this.#statusServer?.close();
  }

  status(): AgentStatus {
    const { node, version } = this.#options;
    const published = this.#cluster.nodeMode(node)?.status;
    const last = this.#last;
    const notReady = this.#notReady();
    return {
      node,
      version,
      pid: process.pid,
      startedAt: new Date(this.#startedAtMs).toISOString(),
      ready: notReady === "",
      notReady,
      datastore: {
        connected: this.#cluster.connected,
        since: new Date(this.#cluster.connectedSinceMs).toISOString(),
      },
      ipipBackend: last?.actual.ipipBackend ?? "none",
      accepts: published?.accepts ?? [],
      sends: published?.sends ?? [],
      pools: Object.fromEntries(
        Object.entries(published?.pools ?? {}).map(([name, { mode, realised, waiting }]) => [
          name,
          { mode, realised, waiting },
        ]),
      ),
      ...(last && { mtu: last.plan.mtu }),
      peers: this.#bgp.peers(),
      guard: this.#changes.totals,
      passes: this.#passes,
      routes: {
        programmed:
          last?.plan.destinations.filter(({ prefix }) =>
            last.actual.current.has(formatPrefix(prefix)),
          ).length ?? 0,
        wanted: last?.plan.destinations.length ?? 0,
      },
      failures: [
        ...this.#failures.lines(),
        ...(last?.problems ?? []),
        ...this.#bgp.problems,
        ...this.#bgpInput.problems,
      ],
    };
  }

  /** What the kernel refused, bad objects, and what is being tried again. */
  #troubles(): string[] {
    const last = this.#last;
    return [
      ...(last?.actual.failures ?? []).map((failure) => `${failure.object}: ${failure.message}`),
      ...(last?.problems ?? []),
      ...this.#bgp.problems,
      ...this.#bgpInput.problems,
      ...[...this.#errors].map(([what, error]) => `${what}: ${error}`),
      ...this.#changes.troubles,
      ...this.#host.troubles,
    ];
  }

  /** Plan against kernel, without changing anything. @throws AGENT_NOT_READY before the first pass. */
  async diff(): Promise<AgentDiff> {
    const last = this.#last?.plan;
    // Where the kernel cannot be planned for (the uplink is gone), what was last wanted still holds.
    const preview = await this.#reconciler?.preview().catch(() => undefined);
    const plan = preview ?? last;
    if (plan === undefined || this.#dataplane === undefined) {
      const why = this.#notReady() || "no plan has been applied yet";
      throw new SwitchyardError("AGENT_NOT_READY", `compare plan and kernel: ${why}`);
    }
    const { objects, differences } = await this.#dataplane.compare(plan);
    return { node: plan.node, equal: differences.length === 0, objects, differences };
  }

  #notReady(): string {
    if (!this.#cluster.synced) {
      const { lastError = "no answer" } = this.#cluster;
      return `the datastore has not been read yet (${lastError}); the kernel forwards as it was found`;
    }
    const failed = this.#errors.get("pass");
    if (failed !== undefined) return failed;
    if (!this.#last) return "no plan has been applied yet";
    if (!this.#cluster.nodeMode(this.#options.node)) return "this node's mode is not published yet";
    return "";
  }

  /** Something changed: these prefixes, or anything. */
  #noted(prefixes?: readonly Prefix[]): void {
    if (prefixes === undefined || this.#changed.size + prefixes.length > MOST_CHANGED) {
      this.#wake(DEBOUNCE_MS);
      return;
    }
    for (const prefix of prefixes) this.#changed.set(formatPrefix(prefix), prefix);
    if (this.#changedTimer !== undefined || this.#stopped) return;
    this.#changedTimer = this.#options.clock.schedule(DEBOUNCE_MS, () => {
      this.#changedTimer = undefined;
      this.#next(() => this.#passOver());
    });
  }

  /** Routes of changed prefixes first; whoever else wants to know of them can wait a little. */
  async #passOver(): Promise<void> {
    if (this.#stopped || this.#changed.size === 0) return;
    const prefixes = [...this.#changed.values()];
    this.#changed.clear();
    // Whatever goes wrong here, the whole pass meets it as well, and tells of it.
    const result = await this.#reconciler?.passOver(prefixes).catch(() => undefined);
    if (result) this.#last = result;
    this.#wake(result ? Math.max(TELL_CHANGES_MS, this.#tookMs * PASS_SHARE) : 0);
  }

  /** Runs a pass in `delayMs`, or earlier if one is due earlier. */
  #wake(delayMs: number): void {
    if (this.#stopped) return;
    const { clock } = this.#options;
    const dueMs = clock.monotonicMs() + delayMs;
    if (dueMs >= this.#timerDueMs) return;
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    this.#timer = clock.schedule(delayMs, () => {
      this.#timerDueMs = Number.POSITIVE_INFINITY;
      this.#timer = undefined;
      // One pass behind the one that runs sees everything that has come meanwhile.
      if (this.#passQueued) return;
      this.#passQueued = true;
      this.#next(() => {
        this.#passQueued = false;
        return this.#pass();
      });
    });
  }

  /** One thing at a time, in the order in which they were asked for. */
  #next(work: () => Promise<void>): void {
    this.#running = (this.#running ?? Promise.resolve()).then(work);
  }

  /** Between passes. */
  async #speak(work: () => Promise<void>): Promise<void> {
    if (!this.#stopped) await this.#attempt("bgp", work);
  }

  async #pass(): Promise<void> {
    if (this.#stopped || !this.#cluster.synced) return;
    this.#changed.clear();
    this.#changes.follow();
    this.#passes++;
    const startedMs = this.#options.clock.monotonicMs();
    await this.#attempt("pass", async () => {
      await this.#attempt("bgp", () => this.#bgpInput.configure());
      if (probedPool(this.#cluster.view())) await this.#probe.restore();
      const result = await this.#reconciler?.pass();
      if (!result) return;
      this.#last = result;
      this.#bgpInput.noteHostRoutes(result.kernel.host.routes);
      this.#journal.note(result.outcome);
      this.#changes.step(result.plan);
      await this.#attempt("announcement", async () => {
        if (result.untold) throw new SwitchyardError("DATASTORE_UNAVAILABLE", result.untold);
      });
      await this.#attempt("tunnel addresses", () => this.#syncTunnelAddresses(result));
      await this.#attempt(PROBE, () => this.#syncProbeAddress(result));
      if (result.wakeAtMs !== undefined) {
        this.#wake(Math.max(DEBOUNCE_MS, result.wakeAtMs - this.#options.clock.monotonicMs()));
      }
    });
    const { clock } = this.#options;
    const endedMs = clock.monotonicMs();
    this.#tookMs = endedMs - startedMs;
    this.#journal.noteTroubles(this.#troubles());
    const refused = [
      ...(this.#last?.actual.failures ?? []),
      ...[...this.#errors].map(([object, message]) => ({ object, message })),
    ];
    this.#failures.update(refused, { wallMs: clock.now(), monotonicMs: endedMs });
    this.#host.note();
    const { dueMs } = this.#failures;
    this.#wake(dueMs === undefined ? COMPARE_EVERY_MS : Math.max(0, dueMs - endedMs));
  }

  async #syncTunnelAddresses(result: PassResult): Promise<void> {
    const view = this.#cluster.view();
    const node = view.nodes.find((candidate) => candidate.metadata.name === this.#options.node);
    if (!node || !this.#cluster.connected) return;
    const receive = new Set(result.receive);
    await syncTunnelAddresses(this.#ipam, this.#options.store, {
      node,
      pools: [...view.pools, ...widenedPools(view.pools, view.modeChanges)],
      receive,
      useOf: async (address) => this.#dataplane && useOf(this.#dataplane, address),
    });
  }

  async #syncProbeAddress({ plan, actual }: PassResult): Promise<void> {
    if (!this.#cluster.connected) return;
    const pool = probedPool(this.#cluster.view())?.cidr;
    // One that could not be removed is in the kernel still.
    const planned =
      plan.addresses.some(({ device }) => device === PROBE_DEVICE) ||
      actual.failures.some(({ object }) => object.endsWith(` dev ${PROBE_DEVICE}`));
    if (await this.#probe.sync({ pool, planned })) this.#wake(DEBOUNCE_MS);
  }

  /** Runs one part; what it throws is kept for the status until the part succeeds. */
  async #attempt(what: string, part: () => Promise<void>): Promise<boolean> {
    try {
      await part();
      this.#errors.delete(what);
      return true;
    } catch (error) {
      this.#options.log.debug({ err: error }, `${what} failed`);
      this.#errors.set(what, errorText(error));
      return false;
    }
  }
}
