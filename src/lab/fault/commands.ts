/** `switchyard lab fault …`: parse, call, print. */

import type { Command } from "commander";
import { SwitchyardError } from "../../lib/index.ts";
import type { LabState } from "../lab-state.ts";
import type { FaultFlags } from "./flags.ts";
import type { LabFault } from "./operations.ts";

/** Finds the lab that the flags above name. */
export type FindLab = (command: Command) => Promise<LabState>;

/** Adds `fault` and what is below it to `lab`. */
export function registerFault(lab: Command, findLab: FindLab): void {
  const fault = lab.command("fault").description("Faults of the fabric between the nodes");
  fault
    .command("add")
    .description("Make the fabric faulty; what the fault does not name is not disturbed")
    .usage("KIND")
    .argument("<kind>")
    .option(
      "--between <members...>",
      "Between two members: a node, a subnet's bridge, outside or all",
    )
    .option("--node <node>", "On the link of this node")
    .option("--router", "For what crosses the router")
    .option("--one-way", "Only from the first member to the second, or what the node sends")
    .option("--percent <percent>", "loss: how much")
    .option("--mtu <bytes>", "small-mtu: the largest IP packet that passes")
    .option("--ms <ms>", "delay: by how much")
    .option("--traffic <traffic>", "stateful-filter, loss, delay: only ipip, vxlan or pods")
    .action(async (kind: string, flags: FaultFlags, command: Command) => {
      const { faultOf } = await import("./flags.ts");
      const spec = faultOf(kind, flags);
      const { addFault } = await import("./operations.ts");
      print(`fault ${line(await addFault(await findLab(command), spec))}\n`);
    });
  fault
    .command("list")
    .description("Show the faults and how many packets each has dropped")
    .usage("")
    .option("-o, --output <format>", "text or json", "text")
    .action(async (flags: { readonly output: string }, command: Command) => {
      const { output } = flags;
      if (output !== "text" && output !== "json") {
        throw invalid(`unknown output format ${output}: text or json`);
      }
      const { listFaults } = await import("./operations.ts");
      const faults = await listFaults(await findLab(command));
      if (output === "json") return print(`${JSON.stringify(faults, undefined, 2)}\n`);
      print(
        faults.length === 0 ? "no faults\n" : faults.map((one) => `${counted(one)}\n`).join(""),
      );
    });
  fault
    .command("remove")
    .description("Take a fault away, or all")
    .usage("ID")
    .argument("[id]")
    .option("--all", "All there are")
    .action(async (id: string | undefined, flags: { readonly all?: boolean }, command: Command) => {
      if ((id === undefined) === (flags.all === undefined)) {
        throw invalid("one fault by its id, or --all");
      }
      const { removeFault, removeFaults } = await import("./operations.ts");
      const lab = await findLab(command);
      if (id === undefined) return print(`removed ${await removeFaults(lab)} faults\n`);
      if (!/^[0-9]{1,9}$/.test(id)) throw invalid(`not the id of a fault: ${JSON.stringify(id)}`);
      await removeFault(lab, Number(id));
      print(`removed fault ${id}\n`);
    });
}

function line({ id, text }: LabFault): string {
  return `${id}: ${text}`;
}

function counted(fault: LabFault): string {
  const { packets } = fault;
  if (packets === undefined) return line(fault);
  return `${line(fault)} (${packets} ${packets === 1 ? "packet" : "packets"} dropped)`;
}

function invalid(message: string): SwitchyardError {
  return new SwitchyardError("INVALID_ARGUMENT", message);
}

function print(text: string): void {
  process.stdout.write(text);
}
