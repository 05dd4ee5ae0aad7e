/** Namespaces for the tests of the dataplane. */

import { execFileSync } from "node:child_process";
import { type Dataplane, openDataplane } from "../../src/dataplane/index.ts";
import { systemClock } from "../../src/lib/index.ts";
import { silentLog } from "../../src/lib/log/index.ts";
import { createNamespace, deleteNamespace, namespacePath } from "../../src/lib/sys/index.ts";

/** Why kernel tests cannot run here; undefined when they can. */
export function obstacleToKernelTests(): string | undefined {
  try {
    deleteNamespace(createNamespace(`sydp${process.pid}probe`).split("/").at(-1)!);
    return undefined;
  } catch (error) {
    return `network namespaces cannot be made here: ${(error as Error).message}`;
  }
}

let count = 0;

/** Namespaces of one test; `close` removes them all. */
export class Namespaces {
  readonly #names: string[] = [];

  /** A new namespace with `lo` up; its name. */
  make(label: string): string {
    const name = `sydp${process.pid}-${count++}-${label}`;
    createNamespace(name, { loopback: true });
    this.#names.push(name);
    return name;
  }

  /** The caller has removed it. */
  forget(name: string): void {
    this.#names.splice(this.#names.indexOf(name), 1);
  }

  close(): void {
    for (const name of this.#names.splice(0)) deleteNamespace(name);
  }
}

/** Standard output of a command inside a namespace. */
export function inside(name: string, command: string): string {
  const args = [`--net=${namespacePath(name)}`, "sh", "-ec", command];
  return execFileSync("nsenter", args, { encoding: "utf8" });
}

/** Lines without trailing blanks. */
export function lines(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "");
}

export async function openIn(name: string, ipip?: "kernel" | "bpf"): Promise<Dataplane> {
  return await openDataplane({
    namespace: namespacePath(name),
    clock: systemClock,
    log: silentLog,
    firewallCheckMs: 0,
    ...(ipip === undefined ? {} : { ipip }),
  });
}
