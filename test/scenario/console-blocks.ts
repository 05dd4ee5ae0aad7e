/**
 * The ```console blocks of a Markdown text: what an operator types after `$ `, and what the next lines
 * say that it prints. Running them is how a walk-through stays true.
 */

import { spawnSync } from "node:child_process";

export interface ConsoleCommand {
  readonly command: string;
  /** What it prints, as the document says. */
  readonly expected: string;
  /** Of the line with the command, from 1. */
  readonly line: number;
}

/** What really differs from run to run, and nothing else. */
export const normalisations: readonly {
  readonly what: string;
  readonly pattern: RegExp;
  readonly replacement: string;
}[] = [
  {
    what: "how long ping ran",
    pattern: /(% packet loss, time )\d+(ms)/g,
    replacement: "$1T$2",
  },
  { what: "number of a process", pattern: /\bpid \d+/g, replacement: "pid P" },
];

/** In the order of the document. @throws for a block that does not begin with a command. */
export function consoleCommands(markdown: string): readonly ConsoleCommand[] {
  const commands: { command: string; expected: string[]; line: number }[] = [];
  let inside = false;
  let fresh = false;
  for (const [index, text] of markdown.split("\n").entries()) {
    if (text.startsWith("```")) {
      fresh = !inside && text === "```console";
      inside = fresh;
    } else if (inside && text.startsWith("$ ")) {
      commands.push({ command: text.slice(2), expected: [], line: index + 1 });
      fresh = false;
    } else if (inside) {
      if (fresh) throw new Error(`line ${index + 1}: a console block begins with "$ COMMAND"`);
      commands.at(-1)!.expected.push(text);
    }
  }
  return commands.map(({ expected, ...rest }) => ({ ...rest, expected: expected.join("\n") }));
}

/** Without blanks at the ends of lines, empty lines at the end, and what differs from run to run. */
export function normalise(text: string): string {
  const lines = text.split("\n").map((line) => line.trimEnd());
  return normalisations.reduce(
    (result, { pattern, replacement }) => result.replaceAll(pattern, replacement),
    lines.join("\n").trimEnd(),
  );
}

/** A whole lab comes up in less, even on a loaded machine. */
const limitMs = 120_000;

/** Runs it by `sh` in `directory`, as an operator would; both its streams, as they came. */
export function run(command: string, directory: string): string {
  const names = Object.keys(process.env).filter((name) => !name.startsWith("SWITCHYARD_"));
  const { stdout, error } = spawnSync("sh", ["-c", `exec 2>&1\n${command}`], {
    cwd: directory,
    encoding: "utf8",
    timeout: limitMs,
    env: Object.fromEntries(names.map((name) => [name, process.env[name]])),
  });
  if (error) throw error;
  return stdout;
}
