/**
 * The node agent: watches the datastore, speaks BGP, plans, applies, reports. Stopping or killing
 * it changes nothing in the kernel; a new one adopts what it finds.
 */

import { join } from "node:path";
import { type Dataplane, openDataplane } from "../dataplane/index.ts";
import type { Datastore } from "../datastore/index.ts";
import { type Clock, errorText, SwitchyardError } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import { meshChanges, vxlanMacOf } from "../mode/index.ts";
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
import { OwnAddresses } from "./own-addresses.ts";
import { DEBOUNCE_MS, PassSchedule } from "./pass-schedule.ts";
import { type PassResult, Reconciler } from "./reconciler.ts";
import type { AgentDiff, AgentStatus } from "./status.ts";
import { statusReport } from "./status-report.ts";
import { serveStatus } from "./status-server.ts";

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

/** The kernel is compared with the plan at least this often, whatever events say. */
const COMPARE_EVERY_MS = 30_000;
const DRAIN_MS = 5_000;
const PROBE = "probe address";

export class Agent {
  readonly #options: AgentOptions;
  readonly #cluster: Cluster;
  readonly #bgp: BgpRunner;
  readonly #bgpInput: BgpInput;
  readonly #addresses: OwnAddresses;
  readonly #startedAtMs: number;
  readonly #failures = new FailureBook();
  readonly #changes: ChangeParts;
  readonly #host: HostPublisher;
  #dataplane: Dataplane | undefined;
  #reconciler: Reconciler | undefined;
  #statusServer: { close(): Promise<void> } | undefined;
  #last: PassResult | undefined;
  #passes = 0;
  readonly #errors = new Map<string, string>();
  readonly #journal: Journal;
  readonly #schedule: PassSchedule;

  constructor(options: AgentOptions) {
    this.#options = options;
    const { clock, log, store } = options;
    this.#startedAtMs = clock.now();
    this.#cluster = new Cluster({ store, clock, log });
    const { makeSpeaker } = options;
    this.#bgp = new BgpRunner({
      clock,
      log,
      changed: (prefixes) => this.#schedule.note(prefixes),
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
      changed: (work) => this.#schedule.next(() => this.#attempt("bgp", work)),
    });
    this.#addresses = new OwnAddresses({ ...options, cluster: this.#cluster });
    this.#schedule = new PassSchedule({
      clock,
      pass: () => this.#pass(),
      passOver: async (prefixes) => {
        const result = await this.#reconciler?.passOver(prefixes);
        if (result) this.#last = result;
        return result !== undefined;
      },
    });
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
    this.#dataplane.onDrift(() => this.#schedule.wake(DEBOUNCE_MS));
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
        return { address: this.#addresses.probe, ...(problem !== undefined && { problem }) };
      },
      answerAt: (address) => this.#changes.answerAt(address),
      writeMtu: (mtu) => mtuFile.write(mtu),
      drainMs,
    });
    this.#cluster.start((blocks) => {
      // Own blocks are advertised too.
      const own = blocks?.some(({ nodes }) => nodes.includes(node)) ?? true;
      this.#schedule.note(own ? undefined : blocks?.map(({ prefix }) => prefix));
    });
    this.#changes.start();
    this.#schedule.wake(0);
  }

  /** Lets go of everything without changing the kernel; neighbours keep our routes. */
  async stop(): Promise<void> {
    await this.#schedule.stop();
    await this.#changes.stop();
    await this.#host.stop();
    await this.#bgpInput.stop();
    await this.#bgp.stop(false);
    await this.#cluster.stop();
    await this.#dataplane?.close();
    await this.#statusServer?.close();
  }

  status(): AgentStatus {
    return statusReport({
      options: this.#options,
      cluster: this.#cluster,
      bgp: this.#bgp,
      guard: this.#changes.totals,
      last: this.#last,
      passes: this.#passes,
      startedAtMs: this.#startedAtMs,
      notReady: this.#notReady(),
      failures: [
        ...this.#failures.lines(),
        ...(this.#last?.problems ?? []),
        ...this.#bgp.problems,
        ...this.#bgpInput.problems,
      ],
    });
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

  /** Gives when the next one is due at the latest. */
  async #pass(): Promise<number | undefined> {
    if (!this.#cluster.synced) return undefined;
    const { clock } = this.#options;
    this.#changes.follow();
    this.#passes++;
    await this.#attempt("pass", async () => {
      await this.#attempt("bgp", () => this.#bgpInput.configure());
      await this.#addresses.restore();
      const result = await this.#reconciler?.pass();
      if (result) await this.#follow(result);
    });
    const endedMs = clock.monotonicMs();
    this.#journal.noteTroubles(this.#troubles());
    const refused = [
      ...(this.#last?.actual.failures ?? []),
      ...[...this.#errors].map(([object, message]) => ({ object, message })),
    ];
    this.#failures.update(refused, { wallMs: clock.now(), monotonicMs: endedMs });
    this.#host.note();
    const { dueMs } = this.#failures;
    return dueMs === undefined ? COMPARE_EVERY_MS : Math.max(0, dueMs - endedMs);
  }

  /** What comes after the kernel is as a pass wants it; each part by itself. */
  async #follow(result: PassResult): Promise<void> {
    this.#last = result;
    this.#bgpInput.noteHostRoutes(result.kernel.host.routes);
    this.#journal.note(result.outcome);
    this.#changes.step(result.plan);
    await this.#attempt("announcement", async () => {
      if (result.untold) throw new SwitchyardError("DATASTORE_UNAVAILABLE", result.untold);
    });
    await this.#attempt("tunnel addresses", async () => {
      if (this.#dataplane) await this.#addresses.syncTunnels(result, this.#dataplane);
    });
    await this.#attempt(PROBE, async () => {
      if (await this.#addresses.syncProbe(result)) this.#schedule.wake(DEBOUNCE_MS);
    });
    if (result.wakeAtMs !== undefined) {
      const { clock } = this.#options;
      this.#schedule.wake(Math.max(DEBOUNCE_MS, result.wakeAtMs - clock.monotonicMs()));
    }
  }

  /** Runs one part; what it throws is kept for the status until the part succeeds. */
  async #attempt(what: string, part: () => Promise<void>): Promise<void> {
    try {
      await part();
      this.#errors.delete(what);
    } catch (error) {
      this.#options.log.debug({ err: error }, `${what} failed`);
      this.#errors.set(what, errorText(error));
    }
  }
}
