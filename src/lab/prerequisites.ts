/** What a machine must have before a lab can be built; says all that is missing at once. */

import { accessSync, constants, readFileSync } from "node:fs";
import { SwitchyardError } from "../lib/index.ts";
import { systemPath } from "./processes.ts";

/** Program to Debian package. */
const programs = { ip: "iproute2", nft: "nftables", nsenter: "util-linux" } as const;

/** linux/capability.h */
const capabilities = { CAP_NET_ADMIN: 12, CAP_SYS_ADMIN: 21 } as const;

export interface Machine {
  readonly userId: number;
  /** CapEff of /proc/self/status. */
  readonly effectiveCapabilities: bigint;
  readonly hasProgram: (name: string) => boolean;
}

/** One line per thing that is missing, with what to do; empty when all is there. */
export function missingPrerequisites(machine: Machine): string[] {
  const missing: string[] = [];
  const lacking = Object.entries(capabilities)
    .filter(([, bit]) => ((machine.effectiveCapabilities >> BigInt(bit)) & 1n) === 0n)
    .map(([name]) => name);
  if (machine.userId !== 0) {
    missing.push(`it must run as root (it is user ${machine.userId}): use sudo`);
  } else if (lacking.length > 0) {
    missing.push(
      `root lacks ${lacking.join(" and ")} here: a container needs --privileged, or --cap-add for each`,
    );
  }
  const absent = Object.entries(programs).filter(([name]) => !machine.hasProgram(name));
  if (absent.length > 0) {
    const packages = absent.map(([, name]) => name).join(" ");
    missing.push(
      `missing programs: ${absent.map(([name]) => name).join(", ")}: apt-get install -y ${packages}`,
    );
  }
  return missing;
}

/** @throws PREREQUISITE_MISSING. */
export function checkPrerequisites(): void {
  const missing = missingPrerequisites(thisMachine());
  if (missing.length === 0) return;
  throw new SwitchyardError(
    "PREREQUISITE_MISSING",
    `the lab cannot be built on this machine:\n${missing.map((line) => `  - ${line}`).join("\n")}`,
    { details: { missing } },
  );
}

export function thisMachine(): Machine {
  const capEff = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return {
    userId: process.getuid?.() ?? -1,
    effectiveCapabilities: BigInt(`0x${capEff ?? "0"}`),
    hasProgram: (name) => findProgram(name) !== undefined,
  };
}

/** Absolute path of a program on PATH, sbin included. */
export function findProgram(name: string, path: string = systemPath()): string | undefined {
  if (name.includes("/")) return name;
  for (const directory of path.split(":")) {
    const file = `${directory === "" ? "." : directory}/${name}`;
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // not in this directory
    }
  }
  return undefined;
}
