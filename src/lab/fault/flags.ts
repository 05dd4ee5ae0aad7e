/** From the words of `lab fault add` to a fault. Pure. */

import { SwitchyardError } from "../../lib/index.ts";
import { checkFault, type FaultSpec, faultKinds } from "./spec.ts";

/** As commander hands them over. */
export interface FaultFlags {
  readonly between?: readonly string[];
  readonly node?: string;
  readonly router?: boolean;
  readonly oneWay?: boolean;
  readonly percent?: string;
  readonly mtu?: string;
  readonly ms?: string;
  readonly traffic?: string;
}

/** @throws INVALID_ARGUMENT. */
export function faultOf(kind: string, flags: FaultFlags): FaultSpec {
  const found = faultKinds.find((name) => name === kind);
  if (found === undefined) {
    throw invalid(`${JSON.stringify(kind)} is no kind of fault: ${faultKinds.join(", ")}`);
  }
  const { between, percent, mtu, ms, ...further } = flags;
  if (between !== undefined && between.length !== 2) {
    throw invalid(`--between takes two members, not ${between.length}`);
  }
  return checkFault({
    kind: found,
    ...further,
    ...(between !== undefined && { between }),
    ...(percent !== undefined && { percent: numberOf("--percent", percent) }),
    ...(mtu !== undefined && { mtu: numberOf("--mtu", mtu) }),
    ...(ms !== undefined && { delayMs: numberOf("--ms", ms) }),
  });
}

function numberOf(flag: string, text: string): number {
  if (/^[0-9]+(\.[0-9]+)?$/.test(text)) return Number(text);
  throw invalid(`${flag} takes a number, not ${JSON.stringify(text)}`);
}

function invalid(message: string): SwitchyardError {
  return new SwitchyardError("INVALID_ARGUMENT", message);
}
