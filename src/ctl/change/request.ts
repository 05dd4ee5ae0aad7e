/** Asks for a change, once it has been checked what can be known before any agent is asked. */

import type { Datastore } from "../../datastore/index.ts";
import { type Clock, SwitchyardError } from "../../lib/index.ts";
import { requestChange } from "../../mode/index.ts";
import { type IPPool, type ModeChange, type ModeChangeSpec, modeName } from "../../model/index.ts";
import { nameList } from "../output/change/text.ts";
import { isRunning } from "./find.ts";

export interface AskOptions {
  readonly spec: ModeChangeSpec;
  readonly clock: Clock;
}

/**
 * Undefined: there are no agents of ours to ask; the pool may be changed all the same.
 * @throws SwitchyardError that says why it cannot begin; then nothing was written.
 */
export async function askForChange(
  store: Datastore,
  { spec, clock }: AskOptions,
): Promise<ModeChange | undefined> {
  const [pools, changes, nodeModes] = await Promise.all([
    store.list("IPPool"),
    store.list("ModeChange"),
    store.list("NodeMode"),
  ]);
  if (spec.mesh === undefined) checkPool(spec, pools.items);
  else await checkMesh(store, spec);
  checkOthers(spec, changes.items);
  if (nodeModes.items.length > 0) {
    return await requestChange(store, { spec, clock, random: Math.random });
  }
  if (spec.mesh !== undefined || spec.proveOnly || !spec.skipProof) throw withoutAgents();
  return undefined;
}

function checkPool(spec: ModeChangeSpec, pools: readonly IPPool[]): void {
  const pool = pools.find(({ metadata }) => metadata.name === spec.pool);
  if (!pool) throw unknownPool(spec.pool ?? "", pools);
  const { metadata } = pool;
  if (modeName(pool.spec) === spec.to) {
    throw refuse(`pool ${metadata.name} is ${spec.to} already`);
  }
  if (pool.spec.cidr.includes(":") && spec.to?.startsWith("ipip")) {
    throw refuse(
      `pool ${metadata.name} (${pool.spec.cidr}) cannot become ${spec.to}: IP-in-IP carries IPv4 only; use vxlan, vxlan-cross-subnet or none`,
    );
  }
}

async function checkMesh(store: Datastore, { mesh }: ModeChangeSpec): Promise<void> {
  const { items } = await store.list("BGPConfiguration");
  const stored = items.find(({ metadata }) => metadata.name === "default");
  const is = (stored?.spec.nodeToNodeMeshEnabled ?? true) ? "on" : "off";
  if (is === mesh) throw refuse(`the node-to-node mesh is ${mesh} already`);
}

export function unknownPool(name: string, pools: readonly IPPool[]): SwitchyardError {
  const names = pools.map(({ metadata }) => metadata.name);
  const known = names.length > 0 ? `the pools are: ${nameList(names)}` : "there are no pools";
  return new SwitchyardError("RESOURCE_NOT_FOUND", `there is no pool '${name}'; ${known}`);
}

function checkOthers(spec: ModeChangeSpec, changes: readonly ModeChange[]): void {
  const running = changes.find((change) => isRunning(change) && change.spec.pool === spec.pool);
  if (!running) return;
  const { metadata, status } = running;
  throw new SwitchyardError(
    "RESOURCE_CONFLICT",
    `change ${metadata.name} (to ${running.spec.to ?? running.spec.mesh}, ${status?.phase ?? "not begun"}) of ${spec.pool === undefined ? "the mesh" : `pool ${spec.pool}`} runs: ` +
      `look at it with \`switchyard mode show ${metadata.name}\`, end it with confirm or rollback`,
  );
}

function withoutAgents(): SwitchyardError {
  return refuse(
    "no agent of Switchyard has said anything (there is no NodeMode): nobody would prove, guard or order a move\n" +
      "Start the agents with `switchyard agent`. On nodes that another agent runs, `mode change --skip-proof --reason WHY` " +
      "patches the pool, looks what can be seen, and patches it back unless it is confirmed.",
  );
}

function refuse(text: string): SwitchyardError {
  return new SwitchyardError("OPERATION_NOT_SUPPORTED", text);
}
