/**
 * A change where other agents run the nodes (real Calico): nobody can be ordered, so the pool is patched, every
 * node moves as it sees that, and this process alone takes it back unless it is confirmed. What that leaves
 * unproved is said first.
 */

import type { Datastore } from "../../datastore/index.ts";
import { errorText, hasCode, type Timer } from "../../lib/index.ts";
import { findTraps, readCluster } from "../../mode/index.ts";
import { type IPPool, type ModeChangeSpec, modeFields, modeName } from "../../model/index.ts";
import type { CtlContext } from "../context.ts";
import { exitStatuses } from "../output/change/outcome.ts";
import { durationText, nameList } from "../output/change/text.ts";

export interface ForeignChange {
  readonly store: Datastore;
  readonly spec: ModeChangeSpec;
  readonly context: CtlContext;
  readonly output: "text" | "json";
}

const unproved = [
  "whether the fabric carries the new encapsulation: no packet was sent",
  "that nothing is lost on the way: every node moves when its agent sees the pool, in no order",
  "that pods still reach each other: there are no live probes",
];
const defaultConfirmSeconds = 600;
/** Of all agents nothing is a trap but what is not ours. */
const expectedTrap = "NODE_WITHOUT_AGENT";

export async function changeWithoutAgents(change: ForeignChange): Promise<void> {
  const { store, spec, context, output } = change;
  const name = spec.pool ?? "";
  const print = output === "json" ? context.stderr : context.stdout;
  const say = (text: string) => print(`${name}: ${text}\n`);
  const input = await readCluster(store);
  const traps = findTraps({ ...input, spec }).filter(({ code }) => code !== expectedTrap);
  for (const { severity, code, message } of traps) say(`trap ${severity} ${code}: ${message}`);
  const before = await store.get("IPPool", name);
  const end = (result: string, exitStatus: number) => {
    const facts = { pool: name, from: modeName(before.spec), to: spec.to, result, exitStatus };
    if (output === "json") {
      context.stdout(`${JSON.stringify({ ...facts, spec, traps, unproved }, null, 2)}\n`);
    }
    context.answer?.(exitStatus);
  };
  if (traps.some(({ severity, code }) => severity === "refuse" && !spec.accepted?.includes(code))) {
    say("refused by a trap; nothing was changed");
    return end("refused", exitStatuses.refused);
  }
  for (const what of unproved) say(`not proved: ${what}`);
  const written = await store.update<"IPPool">({
    ...before,
    spec: { ...before.spec, ...modeFields(spec.to!) },
  });
  say(
    `patched from ${modeName(before.spec)} to ${spec.to} (revision ${written.metadata.resourceVersion})`,
  );
  const kept = spec.confirmed || (await isConfirmed(change, say));
  say(await tunnelText(store, spec));
  if (kept) {
    say("kept: the pool says the new mode");
    return end("done", 0);
  }
  const undone = await patchBack(store, { before, written });
  say(undone ?? `patched back to ${modeName(before.spec)}`);
  end(
    undone === undefined ? "rolled-back" : "attention",
    undone === undefined ? exitStatuses.rolledBack : exitStatuses.attention,
  );
}

/** By the word `confirm`, typed before the time is over. Ctrl-C, or another word, is no. */
function isConfirmed(
  { spec, context }: ForeignChange,
  say: (text: string) => void,
): Promise<boolean> {
  const withinMs = (spec.confirmWithinSeconds ?? defaultConfirmSeconds) * 1000;
  say(
    context.onLine
      ? `type confirm to keep it, or rollback; it is patched back in ${durationText(withinMs)} otherwise`
      : `nobody can confirm it, as this is no terminal: it is patched back in ${durationText(withinMs)}; --yes keeps it`,
  );
  say("this command does that, and nobody else: if it dies, the pool stays as it is now");
  return new Promise((resolve) => {
    const off: ((() => void) | undefined)[] = [];
    const answer = (kept: boolean) => {
      timer.cancel();
      for (const one of off) one?.();
      resolve(kept);
    };
    const timer: Timer = context.clock.schedule(withinMs, () => answer(false));
    off.push(context.onInterrupt?.(() => answer(false)));
    off.push(
      context.onLine?.((line) => {
        const word = line.trim();
        if (word === "confirm" || word === "rollback") answer(word === "confirm");
        else say("type confirm, or rollback");
      }),
    );
  });
}

/** What Nodes show of it: agents write the address of a tunnel once they have one. */
async function tunnelText(store: Datastore, { to }: ModeChangeSpec): Promise<string> {
  if (to === "none") return "of plain routing, Nodes show nothing";
  const { items } = await store.list("Node");
  const late = items.filter(({ spec }) =>
    to?.startsWith("ipip")
      ? spec.bgp?.ipv4IPIPTunnelAddr === undefined
      : spec.ipv4VXLANTunnelAddr === undefined && spec.ipv6VXLANTunnelAddr === undefined,
  );
  const has = `${items.length - late.length} of ${items.length} nodes have an address for the tunnel`;
  if (late.length === 0) return has;
  return `${has}; not ${nameList(late.map(({ metadata }) => metadata.name))}`;
}

/** Only over the own write. Why not, in words; undefined: done. */
async function patchBack(
  store: Datastore,
  { before, written }: { readonly before: IPPool; readonly written: IPPool },
): Promise<string | undefined> {
  const { ipipMode = "Never", vxlanMode = "Never" } = before.spec;
  try {
    for (;;) {
      const now = await store.get("IPPool", before.metadata.name);
      if (modeName(now.spec) !== modeName(written.spec)) {
        return `another hand wrote ${modeName(now.spec)} meanwhile: that stays`;
      }
      try {
        await store.update<"IPPool">({ ...now, spec: { ...now.spec, ipipMode, vxlanMode } });
        return undefined;
      } catch (error) {
        if (!hasCode(error, "RESOURCE_CONFLICT")) throw error;
      }
    }
  } catch (error) {
    return `could not be patched back (${errorText(error)}): do it by hand, with switchyard patch ippool ${before.metadata.name}`;
  }
}
