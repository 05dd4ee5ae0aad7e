/**
 * The second act: `mode change`. First while the fabric drops the new mode one way: the proof refuses and
 * says why. Then the same change without the fault: proved, moved in waves under guard, confirmed.
 */

import { type ModeName, modeName } from "../../model/index.ts";
import { labCommand } from "../suggestions.ts";
import { layout } from "../topology.ts";
import { tunnelDevicesGone } from "../tunnel-devices.ts";
import type { ModeChangeFacts } from "./report.ts";
import { changeLine, runQuietly, runShown, runStreamed } from "./shown-command.ts";
import { counted, type DemoStage } from "./stage.ts";

const TO: ModeName = "vxlan";

export interface ProvedResult {
  /** The refused one, and the one that was done. */
  readonly modeChanges: readonly ModeChangeFacts[];
  /** Where probes were lost, in words. */
  readonly losses: readonly string[];
  /** What did not happen as it should; nothing when all is well. */
  readonly surprises: readonly string[];
}

export async function proved(stage: DemoStage): Promise<ProvedResult> {
  const { lab, print } = stage;
  const near = lab.nodes[0]?.subnet;
  const far = lab.nodes.find(({ subnet }) => subnet !== near)?.subnet;
  print(
    `\nNow the fabric drops VXLAN one way, from ${near} to ${far}, and somebody asks for VXLAN all the same:\n`,
  );
  const faults = `${labCommand(lab)} fault`;
  const added = await runShown(lab, `${faults} add drop-vxlan --between ${near} ${far} --one-way`);
  print(added);
  const id = /^fault ([0-9]+): /m.exec(added)?.[1];
  const refused = await changeTo(stage, TO);
  print(`\n${await runShown(lab, `${faults} remove ${id}`)}`);
  print(
    "\nThe same without the fault: proved, then a canary, then waves, each watched before the next moves:",
  );
  const done = await changeTo(stage, TO);
  return {
    modeChanges: [refused.facts, done.facts],
    losses: [...refused.losses, ...done.losses],
    surprises: surprisesIn(refused.facts, done.facts),
  };
}

/** Against what the demo promises. Pure. */
export function surprisesIn(refused: ModeChangeFacts, done: ModeChangeFacts): string[] {
  const cause = /: UDP 4789 \(VXLAN\) is dropped this way, the other way passes/;
  const { result, reason } = refused;
  return [
    ...(result === "refused"
      ? []
      : [`the change over a faulty fabric was not refused: it is ${result}: ${reason}`]),
    ...(result === "refused" && !cause.test(reason)
      ? [`the refusal names another cause than the fault: ${reason}`]
      : []),
    ...(done.result === "done"
      ? []
      : [`the change over a good fabric was not done: it is ${done.result}: ${done.reason}`]),
  ];
}

/** The document of `mode show -o json`, as far as it is needed. */
type Shown = Pick<ModeChangeFacts, "result" | "durationMs" | "phases"> & {
  readonly reason: string | null;
};

async function changeTo(
  stage: DemoStage,
  to: ModeName,
): Promise<{ readonly facts: ModeChangeFacts; readonly losses: string[] }> {
  const { lab, store, clock, print } = stage;
  const from = modeName((await store.get("IPPool", layout.poolName)).spec);
  const { probes, losses } = await counted(stage, async () => {
    const code = await runStreamed(lab, {
      line: `bin/switchyard mode change ${layout.poolName} --to ${to} --yes`,
      print: (line) => print(changeLine(line)),
    });
    print(`exit code ${code}`);
    const { spec } = await store.get("IPPool", layout.poolName);
    await tunnelDevicesGone(lab, modeName(spec), clock);
  });
  const text = await runQuietly(lab, `bin/switchyard mode show ${layout.poolName} -o json`);
  const { result, reason, durationMs, phases } = JSON.parse(text) as Shown;
  return {
    facts: {
      ...{ from, to, result, durationMs, reason: reason ?? "" },
      phases: phases
        .filter((each) => each.durationMs > 0)
        .map(({ phase, durationMs }) => ({ phase, durationMs })),
      ...probes,
    },
    losses: losses.map((line) => `mode change ${from} -> ${to}: ${line}`),
  };
}
