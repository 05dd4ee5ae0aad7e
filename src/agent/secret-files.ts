/**
 * Secrets as files: the key `K` of the secret `N` is the file `N/K` of one directory, as Kubernetes mounts
 * them. A value that was read once is kept while its file cannot be read: a session that runs is not to
 * lose its password because somebody writes the file.
 */

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { errorText } from "../lib/index.ts";
import type { SecretReader, SecretReference } from "./peering/index.ts";

const USUAL_DIRECTORY = "/etc/switchyard/secrets";
/** What Kubernetes lets a Secret's name and keys be; no way out of the directory. */
const NAME = /^(?!\.\.?$)[-._a-zA-Z0-9]{1,253}$/;
/** Whatever is there, not more of it is read into memory. */
const MAXIMUM_BYTES = 4096;

export class SecretFiles {
  readonly #directory: string;
  readonly #known = new Map<string, string>();

  constructor(directory = USUAL_DIRECTORY) {
    this.#directory = directory;
  }

  readonly read: SecretReader = (reference) => {
    const path = this.#path(reference);
    if (path === undefined) return { problem: "no name of a secret and a key" };
    try {
      const value = readSecret(path);
      this.#known.set(path, value);
      return { value };
    } catch (error) {
      const value = this.#known.get(path);
      if (value === undefined) return { problem: errorText(error) };
      return { value, problem: `${errorText(error)}; the last one that was read is kept` };
    }
  };

  #path({ name, key }: SecretReference): string | undefined {
    return NAME.test(name) && NAME.test(key) ? join(this.#directory, name, key) : undefined;
  }
}

/** One newline at the end, as editors and `echo` leave it, does not belong to the value. */
function readSecret(path: string): string {
  const stat = statSync(path);
  if (!stat.isFile()) throw new Error(`${path} is no file`);
  if (stat.size > MAXIMUM_BYTES) throw new Error(`${path} has ${stat.size} bytes`);
  const value = readFileSync(path, "utf8").replace(/\r?\n$/, "");
  if (value === "") throw new Error(`${path} is empty`);
  return value;
}
