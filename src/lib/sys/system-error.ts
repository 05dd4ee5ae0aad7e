/** Failed system calls as errors that name the call, its object and the kernel's words. */

import { constants } from "node:os";
import { SwitchyardError } from "../errors.ts";
import { lastErrno, libc } from "./libc.ts";

export const errnoNumbers = constants.errno;

export type ErrnoName = keyof typeof errnoNumbers;

const namesByNumber = new Map<number, string>([
  ...Object.entries(errnoNumbers).map(([name, number]) => [number, name] as const),
  // Numbers with two names: the one the kernel's source uses.
  [errnoNumbers.EAGAIN, "EAGAIN"],
  [errnoNumbers.EOPNOTSUPP, "EOPNOTSUPP"],
]);

/** `EEXIST` for 17; `errno 4000` for a number without a name. */
export function errnoName(errno: number): string {
  return namesByNumber.get(errno) ?? `errno ${errno}`;
}

/** strerror(3): `File exists` for 17. */
export function errnoText(errno: number): string {
  return libc.strerror(errno);
}

export interface FailedCall {
  /** Name of the system call. */
  readonly call: string;
  /** What it was called on: a path, an address, a socket's purpose. */
  readonly object: string;
  readonly errno: number;
}

export function systemCallError(failed: FailedCall): SwitchyardError {
  const { call, object, errno } = failed;
  return new SwitchyardError("SYSTEM_CALL_FAILED", `${call} on ${object}: ${errnoText(errno)}`, {
    details: { call, object, errno: errnoName(errno) },
  });
}

/** Passes a result through. @throws SYSTEM_CALL_FAILED if it is -1. */
export function check(result: number, call: string, object: string): number {
  if (result === -1) throw systemCallError({ call, object, errno: lastErrno() });
  return result;
}
