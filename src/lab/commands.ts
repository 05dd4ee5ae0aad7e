/** `switchyard lab …`: parse, call, print. What a command does is loaded when it runs. */

import type { Command } from "commander";
import { SwitchyardError } from "../lib/index.ts";
import { registerFault } from "./fault/commands.ts";

interface Named {
  readonly name?: string;
}

interface UpFlags extends Named {
  readonly nodes?: number;
  readonly podsPerNode?: number;
  readonly dualStack?: boolean;
  readonly mode?: string;
  readonly podMtu?: string;
  readonly rpFilter?: string;
  readonly quiet?: boolean;
}

/** Adds `lab` and what is below it; errors are thrown as SwitchyardError. */
export function registerLab(program: Command): void {
  const lab = program
    .command("lab")
    .description("A live pod network on this machine, from network namespaces")
    .enablePositionalOptions()
    .option("--name <name>", "Several labs may run beside each other; the usual one is sy");
  lab
    .command("up")
    .description("Bring the lab up; what is there and healthy stays")
    .usage("")
    .option("--nodes <count>", "Number of nodes (default 4)", count)
    .option("--pods-per-node <count>", "Number of pods on each node (default 2)", count)
    .option("--dual-stack", "IPv6 beside IPv4: subnets, pools, sessions and pods")
    .option("--mode <mode>", "ipip (default), ipip-cross-subnet, vxlan, vxlan-cross-subnet, none")
    .option(
      "--pod-mtu <how>",
      "MTU of running pods: fixed (default; room for every mode) or live (follows the mode)",
    )
    .option(
      "--rp-filter <filter>",
      "Reverse-path filter of the nodes: strict, loose, off (default: the machine's own)",
    )
    .option("-q, --quiet", "Print nothing when all is well")
    .action(async (_flags: UpFlags, command: Command) => {
      await up(command.optsWithGlobals<UpFlags>());
    });
  lab
    .command("status")
    .description(
      "Show nodes, processes, modes, sessions and pods; exit code 1 if something is wrong",
    )
    .usage("")
    .option("-o, --output <format>", "text or json", "text")
    .action(async (_flags: unknown, command: Command) => {
      await status(command.optsWithGlobals<Named & { output: string }>());
    });
  lab
    .command("exec")
    .description("Run a command in a node, a pod, `router` or `outside`")
    .usage("MEMBER -- COMMAND [ARGS...]")
    .argument("<member>")
    .argument("<command...>")
    .passThroughOptions()
    .action(async (member: string, words: string[], _flags: unknown, command: Command) => {
      const { invocationOf, runInvocation } = await import("./exec.ts");
      const state = await existing(command.optsWithGlobals<Named>());
      runInvocation(
        invocationOf(state, { member, command: words[0] === "--" ? words.slice(1) : words }),
      );
    });
  lab
    .command("kill")
    .description("Kill the agent of a node (kill -9); its kernel keeps forwarding")
    .usage("NODE")
    .argument("<node>")
    .action(async (node: string, _flags: unknown, command: Command) => {
      const { killAgent } = await import("./agents.ts");
      await killAgent(await existing(command.optsWithGlobals<Named>()), node);
      print(`the agent of ${node} is dead\n`);
    });
  lab
    .command("restart")
    .description("Kill the agent of a node if it runs, and start it again")
    .usage("NODE")
    .argument("<node>")
    .action(async (node: string, _flags: unknown, command: Command) => {
      const { restartAgent } = await import("./agents.ts");
      const pid = await restartAgent(await existing(command.optsWithGlobals<Named>()), node);
      print(`the agent of ${node} runs as pid ${pid}\n`);
    });
  lab
    .command("wait")
    .description("Wait until every node has realised the pool's mode; exit code 1 after 30 s")
    .action(async (_flags: unknown, command: Command) => {
      const { labWait } = await import("./wait.ts");
      const { pool, mode } = await labWait(await existing(command.optsWithGlobals<Named>()));
      print(`every node has realised ${pool} as ${mode}\n`);
    });
  registerFault(lab, (command) => existing(command.optsWithGlobals<Named>()));
  lab
    .command("down")
    .description("Take the lab away; nothing is left of it")
    .usage("")
    .action(async (_flags: unknown, command: Command) => {
      const { labDown } = await import("./down.ts");
      const { processes, namespaces } = await labDown(command.optsWithGlobals<Named>());
      const nothing = processes === 0 && namespaces.length === 0;
      print(
        nothing
          ? "there is no lab\n"
          : `ended ${processes} processes, deleted ${namespaces.length} namespaces\n`,
      );
    });
}

async function up(flags: UpFlags): Promise<void> {
  const { labUp } = await import("./up.ts");
  const { name, nodes, podsPerNode, dualStack, mode, podMtu, rpFilter, quiet } = flags;
  const state = await labUp({
    ...(name !== undefined && { name }),
    ...(nodes !== undefined && { nodes }),
    ...(podsPerNode !== undefined && { podsPerNode }),
    ...(dualStack !== undefined && { dualStack }),
    ...(mode !== undefined && { mode }),
    ...(podMtu !== undefined && { podMtu }),
    ...(rpFilter !== undefined && { rpFilter }),
    onProgress: (line) => {
      if (!quiet) print(`${line}\n`);
    },
  });
  if (quiet) return;
  const { suggestions } = await import("./suggestions.ts");
  print(`${suggestions(state).join("\n")}\n`);
}

async function status(flags: Named & { readonly output: string }): Promise<void> {
  if (flags.output !== "text" && flags.output !== "json") {
    throw new SwitchyardError(
      "INVALID_ARGUMENT",
      `unknown output format ${flags.output}: text or json`,
    );
  }
  const { labStatus } = await import("./status.ts");
  const found = await labStatus(flags);
  if (found === undefined) throw noLab();
  if (flags.output === "json") {
    print(`${JSON.stringify(found, undefined, 2)}\n`);
  } else {
    const { renderStatus } = await import("./render-status.ts");
    print(renderStatus(found));
  }
  if (!found.healthy) process.exitCode = 1;
}

async function existing(flags: Named) {
  const { checkPrerequisites } = await import("./prerequisites.ts");
  checkPrerequisites();
  const { loadLab } = await import("./lab-state.ts");
  const state = await loadLab(flags);
  if (state === undefined) throw noLab();
  return state;
}

function noLab(): SwitchyardError {
  return new SwitchyardError("LAB_FAILED", "there is no lab: `switchyard lab up` makes one");
}

function count(text: string): number {
  if (/^[0-9]{1,4}$/.test(text)) return Number(text);
  throw new SwitchyardError("INVALID_ARGUMENT", `not a count: ${JSON.stringify(text)}`);
}

function print(text: string): void {
  process.stdout.write(text);
}
