/**
 * One change, kept current through the datastore: itself, what nodes say of it, what they saw. A datastore
 * that goes away meanwhile is waited for; the change does not need this process.
 */

import { Collection, type Datastore } from "../../datastore/index.ts";
import type { Clock } from "../../lib/index.ts";
import { silentLog } from "../../lib/log/index.ts";
import type { ModeEvidence } from "../../model/index.ts";
import type { ChangeFacts } from "../output/change/facts.ts";

export interface ChangeWatchOptions {
  readonly store: Datastore;
  readonly clock: Clock;
  readonly id: string;
  /** Something is different: the facts, or whether the datastore answers. */
  readonly changed: () => void;
}

export class ChangeWatch {
  readonly #id: string;
  readonly #clock: Clock;
  readonly #nodes: Collection<"Node">;
  readonly #changes: Collection<"ModeChange">;
  readonly #nodeModes: Collection<"NodeMode">;
  readonly #evidence: Collection<"ModeEvidence">;

  constructor({ store, clock, id, changed }: ChangeWatchOptions) {
    this.#id = id;
    this.#clock = clock;
    const common = { store, clock, log: silentLog };
    this.#nodes = new Collection({
      ...common,
      kind: "Node",
      keep: ({ status: _, ...rest }) => rest,
    });
    this.#changes = new Collection({ ...common, kind: "ModeChange" });
    this.#nodeModes = new Collection({ ...common, kind: "NodeMode" });
    // Evidence of earlier changes may be much: 1,000 nodes each wrote some for every one of them.
    const keep = (one: ModeEvidence) => (one.spec.change === id ? one : withoutStatus(one));
    this.#evidence = new Collection({ ...common, kind: "ModeEvidence", keep });
    for (const collection of this.#all()) {
      collection.onChange(changed);
      collection.onState(changed);
    }
  }

  start(): void {
    for (const collection of this.#all()) collection.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all().map((collection) => collection.stop()));
  }

  /** Undefined until everything has been read once. */
  get synced(): boolean {
    return this.#all().every(({ synced }) => synced);
  }

  /** Why the datastore is not heard at the moment; undefined while it is. */
  get trouble(): string | undefined {
    return this.#changes.connected ? undefined : this.#changes.lastError;
  }

  /** Undefined when somebody has deleted the object. */
  get facts(): ChangeFacts | undefined {
    const change = this.#changes.items().get(this.#id);
    if (!change) return undefined;
    const evidence = [...this.#evidence.items().values()].flatMap(({ spec, status }) =>
      spec.change === this.#id && status ? [[spec.node, status] as const] : [],
    );
    const nodeModes = [...this.#nodeModes.items()].flatMap(([node, { status }]) =>
      status ? [[node, status] as const] : [],
    );
    return {
      change,
      nodes: [...this.#nodes.items().values()],
      nodeModes: new Map(nodeModes),
      evidence: new Map(evidence),
      nowMs: this.#clock.now(),
    };
  }

  #all() {
    return [this.#changes, this.#nodes, this.#nodeModes, this.#evidence] as const;
  }
}

function withoutStatus({ status: _, ...rest }: ModeEvidence): ModeEvidence {
  return rest;
}
