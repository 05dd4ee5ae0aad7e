/** Runs what an operator would type, in the repository's folder, and shows it with what it prints. */

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { SwitchyardError } from "../../lib/index.ts";
import type { LabState } from "../lab-state.ts";
import { launcher } from "../launcher.ts";

const widthColumns = 118;

/** `$ LINE` and its output, without the last newline. @throws LAB_FAILED if it fails. */
export async function runShown(lab: LabState, line: string): Promise<string> {
  return `$ ${line}\n${(await runQuietly(lab, line)).trimEnd()}`;
}

/** What it prints. @throws LAB_FAILED if it fails. */
export function runQuietly(lab: LabState, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile("sh", ["-c", line], optionsFor(lab), (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const why = stderr.trim() || error.message;
      reject(new SwitchyardError("LAB_FAILED", `\`${line}\` failed: ${why}`));
    });
  });
}

/** Prints `$ LINE`, then each line of both its streams as it comes; its exit code. */
export async function runStreamed(
  lab: LabState,
  { line, print }: { readonly line: string; readonly print: (line: string) => void },
): Promise<number> {
  print(`\n$ ${line}`);
  const child = spawn("sh", ["-c", `${line} 2>&1`], {
    ...optionsFor(lab),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  for await (const each of createInterface({ input: child.stdout })) print(each);
  const [code] = await ended;
  return typeof code === "number" ? code : 1;
}

/**
 * A line of `mode change`, for a screen: without the change's ID, with which each begins, and wrapped. Pure.
 */
export function changeLine(line: string): string {
  const words = line.replace(/^[^ ]+-[0-9]{8}-[0-9]{6}(-[0-9]+)?: /, "");
  if (words.length <= widthColumns) return words;
  const rows = [""];
  for (const word of words.split(" ")) {
    const longer = `${rows.at(-1)}${rows.at(-1) === "" ? "" : " "}${word}`;
    if (longer.length <= widthColumns) rows[rows.length - 1] = longer;
    else rows.push(`    ${word}`);
  }
  return rows.join("\n");
}

function optionsFor(lab: LabState) {
  return {
    cwd: dirname(dirname(launcher)),
    env: { ...process.env, SWITCHYARD_SOCKET: lab.socketPath },
  };
}
