/**
 * The file that tells a CNI plugin what MTU new pods get: a decimal number, as Calico writes it. Written
 * before the kernel is changed, so that a pod made meanwhile has what the change needs.
 */

import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { errorText } from "../lib/index.ts";

export class MtuFile {
  readonly #path: string;
  #held: number | undefined;

  constructor(path: string) {
    this.#path = path;
    this.#held = read(path);
  }

  /** What the file says; undefined while there is none. */
  get held(): number | undefined {
    return this.#held;
  }

  /** Why it could not be written; undefined when it says `mtu`. Whole or not at all. */
  write(mtu: number): string | undefined {
    if (this.#held === mtu) return undefined;
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o755 });
      const temporary = `${this.#path}.new`;
      const descriptor = openSync(temporary, "w", 0o644);
      try {
        writeSync(descriptor, String(mtu));
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
      renameSync(temporary, this.#path);
      this.#held = mtu;
      return undefined;
    } catch (error) {
      return `file ${this.#path}: write MTU ${mtu}: ${errorText(error)}`;
    }
  }
}

/** A file that says anything else is written anew. */
function read(path: string): number | undefined {
  try {
    const text = readFileSync(path, "utf8").trim();
    return /^[1-9][0-9]{1,5}$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}
