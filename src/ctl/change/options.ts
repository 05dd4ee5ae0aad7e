/** Flags of `mode change` and `mode prove` as the spec of a ModeChange; what is wrong is said before anything is asked. */

import { hostname, userInfo } from "node:os";
import { formatPrefix, maskPrefix, parsePrefix } from "../../lib/index.ts";
import { type ModeChangeSpec, type ModeName, modeNames } from "../../model/index.ts";
import type { ConnectionOptions, CtlContext } from "../context.ts";
import { failure } from "../crud/errors.ts";
import { parseGoDurationMs } from "../go-duration.ts";

export interface ChangeFlags extends ConnectionOptions {
  readonly to?: string;
  readonly mesh?: string;
  readonly canary?: string;
  readonly wave?: string;
  readonly blocks?: string;
  readonly confirmWithin?: string;
  readonly yes?: boolean;
  readonly skipProof?: boolean;
  readonly reason?: string;
  readonly accept?: string;
  readonly seed?: string;
  readonly watch?: boolean;
  readonly output: string;
}

/** @throws SwitchyardError that names the flag. */
export function changeSpec(
  pool: string | undefined,
  flags: ChangeFlags,
  env: CtlContext["env"],
): ModeChangeSpec {
  const { canary, wave, blocks, confirmWithin, yes, skipProof, reason, accept, seed } = flags;
  return {
    ...subjectOf(pool, flags),
    ...(canary !== undefined && { canary: wholeNumber("--canary", canary) }),
    ...(wave !== undefined && { wave: waveOf(wave) }),
    ...(blocks !== undefined && { blocks: blocksOf(blocks, flags) }),
    ...(confirmWithin !== undefined && { confirmWithinSeconds: confirmSeconds(confirmWithin) }),
    ...(yes && { confirmed: true }),
    ...skipOf(skipProof, reason),
    ...(accept !== undefined && { accepted: codesOf(accept) }),
    ...(seed !== undefined && { seed: wholeNumber("--seed", seed) }),
    requestedBy: requester(env),
  };
}

/** A pool and its mode, or the mesh. */
function subjectOf(
  pool: string | undefined,
  { to, mesh, skipProof }: ChangeFlags,
): Pick<ModeChangeSpec, "pool" | "to" | "mesh"> {
  if (mesh === undefined) {
    if (pool === undefined) throw failure("name a pool, or the mesh with --mesh on or --mesh off");
    return { pool, to: requireMode(to) };
  }
  if (pool !== undefined || to !== undefined) {
    throw failure("--mesh is of the whole cluster: it goes with no pool and no --to");
  }
  if (mesh !== "on" && mesh !== "off") {
    throw failure(`invalid value '${mesh}' of --mesh: it must be on or off`);
  }
  if (skipProof) {
    throw failure("--skip-proof does not go with --mesh: of the mesh nothing is proved by packets");
  }
  return { mesh };
}

export function requireMode(text: string | undefined): ModeName {
  if (text === undefined) throw failure(`name the mode with --to: ${modeNames.join(", ")}`);
  const mode = modeNames.find((name) => name === text);
  if (mode === undefined) {
    throw failure(`there is no mode '${text}': the modes are ${modeNames.join(", ")}`);
  }
  return mode;
}

/** @throws SwitchyardError for anything but text and json. */
export function requireTextOrJson(output: string): "text" | "json" {
  if (output === "text" || output === "json") return output;
  throw failure(`unrecognized output format '${output}'`);
}

function wholeNumber(flag: string, text: string): number {
  if (/^[0-9]{1,9}$/.test(text)) return Number(text);
  throw failure(`invalid value '${text}' of ${flag}: it must be a whole number, 0 or more`);
}

function waveOf(text: string): string {
  if (/^([1-9][0-9]{0,8}|([1-9][0-9]?|100)%)$/.test(text)) return text;
  throw failure(
    `invalid value '${text}' of --wave: it must be a number of nodes (8) or a part of all (25%)`,
  );
}

/** Prefixes; that they are of the pool is looked at where the change is planned. */
function blocksOf(text: string, { mesh }: ChangeFlags): string[] {
  if (mesh !== undefined) throw failure("--blocks does not go with --mesh: blocks are of a pool");
  return text.split(",").map((cidr) => {
    const block = parsePrefix(cidr.trim());
    if (block !== undefined) return formatPrefix(maskPrefix(block));
    throw failure(
      `invalid block '${cidr}' of --blocks: they are CIDRs, as 10.244.1.0/26, separated by commas`,
    );
  });
}

function confirmSeconds(text: string): number {
  const ms = parseGoDurationMs(text);
  if (ms === undefined || ms < 1000) {
    throw failure(
      `invalid value '${text}' of --confirm-within: it must be a duration of at least 1s, as in 90s or 10m`,
    );
  }
  return Math.round(ms / 1000);
}

function skipOf(
  skipProof: boolean | undefined,
  reason: string | undefined,
): Pick<ModeChangeSpec, "skipProof"> {
  const words = reason?.trim() ?? "";
  if (skipProof && words === "") {
    throw failure('--skip-proof needs --reason "WHY": it is kept with the change');
  }
  if (!skipProof && reason !== undefined) {
    throw failure("--reason goes with --skip-proof: nothing else needs one");
  }
  return skipProof ? { skipProof: { reason: words } } : {};
}

function codesOf(text: string): string[] {
  const codes = text.split(",").map((code) => code.trim());
  const wrong = codes.find((code) => !/^[A-Z][A-Z0-9_]*$/.test(code));
  if (wrong === undefined) return codes;
  throw failure(
    `invalid code '${wrong}' of --accept: codes of traps are as NODE_WITHOUT_AGENT, separated by commas`,
  );
}

/** Whoever is at the keyboard, also behind sudo. */
function requester(env: CtlContext["env"]): string {
  return `${env.SUDO_USER || userName()}@${hostname()}`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // No entry in passwd, as in some containers.
    return `uid ${process.getuid?.()}`;
  }
}
