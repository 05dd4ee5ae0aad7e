/** What cobra, calicoctl's command line, says about mistakes that commander finds. */

import type { CommanderError } from "commander";
import { failure } from "./crud/errors.ts";

/** calicoctl has no such commands: beside its words there is room to say what to do. */
const OWN: readonly string[] = ["mode", "bgp"];

/** What cobra says about the same mistake; the first of `args` names the command. */
export function cobraText(error: CommanderError, args: readonly string[]): string {
  const words = args.filter((arg) => !arg.startsWith("-"));
  const text = textOf(error, words[0]);
  if (!OWN.includes(words[0] ?? "")) return text;
  const command = ["switchyard", ...words.slice(0, 2), "--help"].join(" ");
  return `${text}; see \`${command}\``;
}

/** The usage of a command of ours, after what cobra says. */
export function ownUsage(path: string, usage = ""): string {
  return OWN.includes(path.split(" ")[0]!) ? `; usage: switchyard ${path} ${usage}` : "";
}

/** The commands of a group of ours, after what cobra says. */
export function ownCommands(group: string, names: readonly string[]): string {
  return OWN.includes(group) ? `; the commands are: ${names.join(", ")}` : "";
}

function textOf(error: CommanderError, word: string | undefined): string {
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
  const unknown = /^error: unknown command '(.*)'$/s.exec(message)?.[1];
  if (unknown !== undefined) return unknownCommandText(unknown, `switchyard ${word}`);
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

export function maximumArgsText(wanted: number, received: number): string {
  return `accepts at most ${wanted} arg(s), received ${received}`;
}

export function minimumArgsText(wanted: number, received: number): string {
  return `requires at least ${wanted} arg(s), only received ${received}`;
}

/** For commands that take none. */
export function refuseArguments(args: readonly string[], command: string): void {
  const [first] = args;
  if (first !== undefined) throw failure(unknownCommandText(first, `switchyard ${command}`));
}
