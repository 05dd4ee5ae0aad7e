/** The text of the configuration file: what it holds, and on which line it says so. */

import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import { errorText } from "../lib/index.ts";

export interface FileText {
  readonly value: unknown;
  /** Where it is no YAML. */
  readonly mistakes: readonly string[];
  /** Of a field, or of what it should stand in; `undefined` where nobody wants to wait for it. */
  lineOf(path: readonly PropertyKey[]): number | undefined;
}

/** Reading a larger one once more, only to tell of lines, would take seconds. */
const LARGEST_WITH_LINES = 256 * 1024;

/** Thousands of peers may share settings; what grows by aliases of aliases is a mistake. */
const LARGEST_ALIAS_COUNT = 1_000_000;

/** JSON first: what a program writes may be large, and reading it as YAML takes a hundred times as long. */
export function readText(text: string): FileText {
  if (text.trimStart().startsWith("{")) {
    try {
      const value = JSON.parse(text) as unknown;
      const lineOf = (path: readonly PropertyKey[]) =>
        text.length > LARGEST_WITH_LINES ? undefined : readYaml(text).lineOf(path);
      return { value, mistakes: [], lineOf };
    } catch {
      // YAML has such a form too; its reader names the line.
    }
  }
  return readYaml(text);
}

function readYaml(text: string): FileText {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true });
  const mistakes = document.errors.map(({ message }) => message.split("\n")[0]!.replace(/:$/, ""));
  let value: unknown;
  try {
    if (mistakes.length === 0) value = document.toJS({ maxAliasCount: LARGEST_ALIAS_COUNT });
  } catch (error) {
    mistakes.push(errorText(error));
  }
  return {
    value,
    mistakes,
    lineOf: (path) => lines.linePos(offsetOf(document, path)).line,
  };
}

/** As far as the path leads. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  let node: unknown = document.contents;
  let offset = document.contents?.range?.[0] ?? 0;
  for (const word of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === word);
      if (pair === undefined) return offset;
      if (isScalar(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(word)];
      offset = (node as { range?: readonly number[] } | undefined)?.range?.[0] ?? offset;
    } else return offset;
  }
  return offset;
}
