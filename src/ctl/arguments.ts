/**
 * Arguments as pflag reads them, rewritten for commander: flags may stand before the command,
 * `-o=wide` is `-o wide`, and boolean flags may have a value.
 */

import { type CommandSpec, commandTable, type Flag, globalFlags } from "./command-table.ts";

interface FlagNames {
  readonly short: string | undefined;
  readonly long: string;
  readonly takesValue: boolean;
}

function namesOf(flag: Flag): FlagNames {
  const [, short, long = ""] = /^(?:(-\w), )?(--[\w-]+)/.exec(flag.flags) ?? [];
  return { short, long, takesValue: flag.flags.includes("<") };
}

function flagsOf(spec: CommandSpec): readonly Flag[] {
  return [...(spec.flags ?? []), ...(spec.commands ?? []).flatMap(flagsOf)];
}

export interface ReadArguments {
  /** The first word that is no flag and no flag's value. */
  readonly word: string | undefined;
  /** For commander: the words that name the command first. */
  readonly args: readonly string[];
}

/** The words of a command that is not in our table are left as they are: its flags are not ours. */
export function readArguments(args: readonly string[]): ReadArguments {
  const flags = [...globalFlags, ...commandTable.flatMap(flagsOf)].map(namesOf);
  const word = args[operands(args, flags)[0] ?? args.length];
  if (word === "help") return readArguments(helpArguments(args));
  const spec = commandTable.find((one) => one.name === word);
  if (spec === undefined) return { word, args };
  const own = [...globalFlags, ...flagsOf(spec)].map(namesOf);
  const end = endOfFlags(args);
  const normalised = args.slice(0, end).flatMap((arg) => normalise(arg, own));
  // Positions are those of the normalised words: only values in the same word were touched.
  const words = operands(normalised, flags).slice(0, spec.commands ? 2 : 1);
  const rest = normalised.filter((_, index) => !words.includes(index));
  return { word, args: [...words.map((index) => normalised[index]!), ...rest, ...args.slice(end)] };
}

/** `help node status` is `node status --help`. */
function helpArguments(args: readonly string[]): readonly string[] {
  const index = args.indexOf("help");
  return [...args.slice(0, index), ...args.slice(index + 1), "--help"];
}

function endOfFlags(args: readonly string[]): number {
  const index = args.indexOf("--");
  return index < 0 ? args.length : index;
}

/** Indices of what is neither a flag nor the value of one. */
function operands(args: readonly string[], flags: readonly FlagNames[]): readonly number[] {
  const found: number[] = [];
  for (let i = 0; i < endOfFlags(args); i++) {
    const arg = args[i]!;
    const flag = flags.find((one) => one.short === arg || one.long === arg);
    if (flag?.takesValue) i++;
    else if (arg === "-" || !arg.startsWith("-")) found.push(i);
  }
  return found;
}

/** `true` and `false` as Go's ParseBool reads them. */
const booleans: Readonly<Record<string, boolean>> = {
  ...Object.fromEntries(["1", "t", "T", "true", "TRUE", "True"].map((text) => [text, true])),
  ...Object.fromEntries(["0", "f", "F", "false", "FALSE", "False"].map((text) => [text, false])),
};

function normalise(arg: string, flags: readonly FlagNames[]): readonly string[] {
  const [, name, value] = /^(--[\w-]+|-\w)=(.*)$/s.exec(arg) ?? [];
  const flag = flags.find((one) => one.short === name || one.long === name);
  if (name === undefined || value === undefined || flag === undefined) return [arg];
  if (flag.takesValue) return [`${flag.long}=${value}`];
  const on = booleans[value];
  if (on === undefined) return [arg];
  return on ? [name] : [];
}
