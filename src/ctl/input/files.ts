/** Reads what `--filename` names: a file, a directory, or standard input. */

import { readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { SwitchyardError } from "../../lib/index.ts";

export interface InputFile {
  readonly path: string;
  readonly text: string;
}

const extensions: readonly string[] = [".yaml", ".yml", ".json"];

/** Every file is read before anything is done. @throws SwitchyardError with the system's words. */
export function readInputFiles(
  path: string,
  options: { readonly recursive: boolean },
): readonly InputFile[] {
  if (path === "-")
    return [{ path, text: attempt("read", "stdin", () => readFileSync(0, "utf8")) }];
  const isDirectory = attempt("open", path, () => statSync(path).isDirectory());
  if (!isDirectory) return [readInputFile(path)];
  return walk(path, options.recursive).map(readInputFile);
}

/** What a message calls the source: `file x.yaml` or `directory x`. */
export function describeSource(path: string): string {
  const isDirectory = path !== "-" && statSync(path, { throwIfNoEntry: false })?.isDirectory();
  return `${isDirectory ? "directory" : "file"} ${path}`;
}

function readInputFile(path: string): InputFile {
  return { path, text: attempt("open", path, () => readFileSync(path, "utf8")) };
}

/** In lexical order, a directory where its name comes. */
function walk(directory: string, recursive: boolean): readonly string[] {
  const entries = attempt("open", directory, () => readdirSync(directory, { withFileTypes: true }));
  return entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) return recursive ? walk(path, recursive) : [];
      return extensions.includes(extname(entry.name).toLowerCase()) ? [path] : [];
    });
}

const systemTexts: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EISDIR: "is a directory",
  ENOTDIR: "not a directory",
};

function attempt<T>(operation: string, path: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const text = systemTexts[code ?? ""] ?? message;
    throw new SwitchyardError("INVALID_ARGUMENT", `${operation} ${path}: ${text}`, { cause });
  }
}
