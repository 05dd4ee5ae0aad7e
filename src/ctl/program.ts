/**
 * The command tree from the table of commands. What a command does is in its module under
 * commands/, loaded when it is run, so that no command pays for another.
 */

import { Command, Option } from "commander";
import {
  exactArgsText,
  maximumArgsText,
  minimumArgsText,
  ownCommands,
  ownUsage,
  unknownCommandText,
  unknownFlagText,
} from "./cobra.ts";
import { type CommandSpec, commandTable, type Flag, globalFlags } from "./command-table.ts";
import type { CtlContext, GlobalOptions } from "./context.ts";
import { failure } from "./crud/errors.ts";
import { formatHelp } from "./help.ts";
import { requireLogLevel } from "./log-level.ts";

function checkArgs(spec: CommandSpec, parent: string, received: number): void {
  const { exactArgs, minimumArgs, maximumArgs } = spec;
  if (maximumArgs !== undefined && received > maximumArgs) {
    const usage = ownUsage(`${parent} ${spec.name}`, spec.usage);
    throw failure(`${maximumArgsText(maximumArgs, received)}${usage}`);
  }
  if (exactArgs !== undefined && received !== exactArgs) {
    const usage = ownUsage(`${parent} ${spec.name}`, spec.usage);
    throw failure(`${exactArgsText(exactArgs, received)}${usage}`);
  }
  if (minimumArgs !== undefined && received < minimumArgs) {
    throw failure(minimumArgsText(minimumArgs, received));
  }
}

/** Errors are thrown, never printed here. */
function configure(command: Command, context: CtlContext, details?: string): Command {
  return command
    .exitOverride()
    .showSuggestionAfterError(false)
    .helpCommand(false)
    .helpOption("-h, --help", `help for ${command.name()}`)
    .configureHelp({ formatHelp: (own, helper) => formatHelp(own, helper, details) })
    .configureOutput({ writeOut: context.stdout, writeErr: context.stdout, outputError: () => {} });
}

function addFlags(command: Command, flags: readonly Flag[]): void {
  for (const flag of flags) {
    const option = new Option(flag.flags, flag.description);
    if (flag.default !== undefined) option.default(flag.default);
    if (flag.hidden) option.hideHelp();
    command.addOption(option);
  }
}

function addCommand(parent: Command, spec: CommandSpec, context: CtlContext): void {
  const command = configure(parent.createCommand(spec.name), context, spec.details);
  parent.addCommand(command);
  command.description(spec.description).usage(spec.usage ?? " ");
  addFlags(command, [...globalFlags, ...(spec.flags ?? [])]);
  if (spec.commands) {
    for (const child of spec.commands) addCommand(command, child, context);
    addGroupAction(command, context);
    return;
  }
  command.argument("[args...]").action(async (args: string[], _options: unknown, self: Command) => {
    checkArgs(spec, parent.name(), args.length);
    const values = self.optsWithGlobals<GlobalOptions>();
    requireLogLevel(values.logLevel);
    const run = await spec.load();
    await run(args, values as never, context);
  });
}

/** A command that only groups others prints its help, or says which word it does not know. */
function addGroupAction(command: Command, context: CtlContext): void {
  command
    .argument("[command...]")
    .allowUnknownOption()
    .action((words: readonly string[]) => {
      const name = words.find((word) => !word.startsWith("-"));
      const path = command.parent ? `${command.parent.name()} ${command.name()}` : command.name();
      if (name !== undefined) {
        const names = command.commands.map((child) => child.name());
        const known = ownCommands(command.name(), names);
        throw failure(`${unknownCommandText(name, path)}${known}`);
      }
      if (words[0] !== undefined) throw failure(unknownFlagText(words[0]));
      context.stdout(command.helpInformation());
    });
}

/** Commands that another room registers, by the first word of the arguments. */
const ownedElsewhere: Readonly<
  Record<
    string,
    { readonly description: string; readonly register: (program: Command) => Promise<void> }
  >
> = {
  lab: {
    description: "A live pod network on this machine, from network namespaces",
    register: async (program) => (await import("../lab/index.ts")).registerLab(program),
  },
};

export async function buildProgram(
  word: string | undefined,
  context: CtlContext,
): Promise<Command> {
  const program = configure(new Command("switchyard"), context)
    .description("Calico-compatible pod networks whose mode changes lose no packet")
    .enablePositionalOptions();
  addFlags(program, globalFlags);
  for (const spec of commandTable) addCommand(program, spec, context);
  for (const [name, { description, register }] of Object.entries(ownedElsewhere)) {
    if (word === name) await register(program);
    else program.command(name).description(description);
  }
  addGroupAction(program, context);
  return program;
}
