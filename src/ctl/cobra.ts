/**
 * calicoctl's command line is cobra's. Where commander differs, this module bridges: the texts of
 * errors, `-o=wide`, and values of boolean flags.
 */

import type { Command, CommanderError, Option } from "commander";

/** What cobra says about the same mistake. */
export function cobraText(error: CommanderError): string {
  const { code, message } = error;
  if (code === "commander.unknownOption") {
    return unknownFlagText(/unknown option '([^']*)'/.exec(message)?.[1] ?? "");
  }
  if (code === "commander.optionMissingArgument") {
    const [, short, long] = /option '(?:(-\w), )?(--[\w-]+)/.exec(message) ?? [];
    if (long !== undefined) {
      return short === undefined
        ? `flag needs an argument: ${long}`
        : `flag needs an argument: '${short.charAt(1)}' in ${short}`;
    }
  }
  return message.replace(/^error: /, "");
}

export function unknownFlagText(flag: string): string {
  if (flag.startsWith("--")) return `unknown flag: ${flag.replace(/=.*$/s, "")}`;
  return `unknown shorthand flag: '${flag.charAt(1)}' in ${flag}`;
}

export function unknownCommandText(name: string, parent: string): string {
  return `unknown command ${JSON.stringify(name)} for ${JSON.stringify(parent)}`;
}

export function exactArgsText(wanted: number, received: number): string {
  return `accepts ${wanted} arg(s), received ${received}`;
}

export function minimumArgsText(wanted: number, received: number): string {
  return `requires at least ${wanted} arg(s), only received ${received}`;
}

/** `true` and `false` as Go's ParseBool reads them. */
const booleans: Readonly<Record<string, boolean>> = {
  "1": true,
  t: true,
  T: true,
  true: true,
  TRUE: true,
  True: true,
  "0": false,
  f: false,
  F: false,
  false: false,
  FALSE: false,
  False: false,
};

/** Rewrites what only pflag reads into what commander reads too. What follows `--` is left alone. */
export function normaliseArguments(args: readonly string[], program: Command): string[] {
  const options = [program, ...program.commands].flatMap((command) => command.options);
  const normalised: string[] = [];
  for (const [index, arg] of args.entries()) {
    if (arg === "--") return [...normalised, ...args.slice(index)];
    normalised.push(...normaliseOne(arg, options));
  }
  return normalised;
}

function normaliseOne(arg: string, options: readonly Option[]): readonly string[] {
  const [, flag, value] = /^(--[\w-]+|-\w)=(.*)$/s.exec(arg) ?? [];
  if (flag === undefined || value === undefined) return [arg];
  const option = options.find((one) => one.long === flag || one.short === flag);
  if (option === undefined) return [arg];
  if (!option.isBoolean()) return [`${option.long}=${value}`];
  const on = booleans[value];
  if (on === undefined) return [arg];
  return on ? [flag] : [];
}
