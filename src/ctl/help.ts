/** Help in cobra's layout, which is what operators of calicoctl read. */

import type { Command, Help, Option } from "commander";

export function formatHelp(command: Command, helper: Help, details?: string): string {
  const path = commandPath(command);
  const sections = [command.description(), ...(details === undefined ? [] : [details])];
  const subcommands = helper.visibleCommands(command).filter((one) => one.name() !== "help");
  const usage: string[] = [];
  if (subcommands.length === 0) usage.push(`  ${`${path} ${command.usage()}`.trimEnd()} [flags]`);
  else usage.push(`  ${path} [command]`);
  sections.push(`Usage:\n${usage.join("\n")}`);
  if (subcommands.length > 0) {
    const width = Math.max(...subcommands.map((one) => one.name().length), 11);
    const lines = subcommands.map((one) => `  ${one.name().padEnd(width)} ${one.description()}`);
    sections.push(`Available Commands:\n${lines.join("\n")}`);
  }
  const own = helper.visibleOptions(command);
  if (own.length > 0) sections.push(`Flags:\n${optionLines(own, command.name())}`);
  if (subcommands.length > 0) {
    sections.push(`Use "${path} [command] --help" for more information about a command.`);
  }
  return `${sections.join("\n\n")}\n`;
}

function commandPath(command: Command): string {
  const parent = command.parent;
  return parent ? `${commandPath(parent)} ${command.name()}` : command.name();
}

function optionLines(options: readonly Option[], name: string): string {
  const named = options.map((option) => {
    const short = option.short ? `${option.short}, ` : "    ";
    const value = option.isBoolean() ? "" : " string";
    return { flags: `  ${short}${option.long}${value}`, option };
  });
  const width = Math.max(...named.map(({ flags }) => flags.length));
  return named
    .sort((a, b) => ((a.option.long ?? "") < (b.option.long ?? "") ? -1 : 1))
    .map(({ flags, option }) => {
      const value: unknown = option.defaultValue;
      const byDefault = typeof value === "string" ? ` (default ${JSON.stringify(value)})` : "";
      const text = option.long === "--help" ? `help for ${name}` : option.description;
      return `${flags.padEnd(width)}   ${text}${byDefault}`.trimEnd();
    })
    .join("\n");
}
