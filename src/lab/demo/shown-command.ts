/** Runs what an operator would type, in the repository's folder, and shows it with what it prints. */

import { execFile } from "node:child_process";
import { dirname } from "node:path";
import { SwitchyardError } from "../../lib/index.ts";
import type { LabState } from "../lab-state.ts";
import { launcher } from "../launcher.ts";

/** `$ LINE` and its output, without the last newline. @throws LAB_FAILED if it fails. */
export function runShown(lab: LabState, line: string): Promise<string> {
  const options = {
    cwd: dirname(dirname(launcher)),
    env: { ...process.env, SWITCHYARD_SOCKET: lab.socketPath },
  };
  return new Promise((resolve, reject) => {
    execFile("sh", ["-c", line], options, (error, stdout, stderr) => {
      if (error) {
        reject(
          new SwitchyardError(
            "LAB_FAILED",
            `\`${line}\` failed: ${stderr.trim() || error.message}`,
          ),
        );
      } else resolve(`$ ${line}\n${stdout.trimEnd()}`);
    });
  });
}
