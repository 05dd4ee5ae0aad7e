/**
 * Cuts a file into YAML documents and turns each into plain JSON, as calicoctl does: strict about
 * duplicate keys, by the rules of YAML 1.1 (`yes` is a boolean), with line and column in errors.
 */

import { LineCounter, parseDocument, type ScalarTag, type Tags } from "yaml";
import { SwitchyardError } from "../../lib/index.ts";

interface DocumentText {
  readonly text: string;
  /** Lines of the file before it. */
  readonly linesBefore: number;
}

const maxDocumentBytes = 10 * 1024 * 1024;

/** A document ends at a line that starts with `---`. */
export function splitDocuments(text: string): readonly DocumentText[] {
  const documents: DocumentText[] = [];
  let lines: string[] = [];
  let start = 0;
  const close = (next: number) => {
    documents.push({ text: lines.join("\n"), linesBefore: start });
    lines = [];
    start = next;
  };
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.startsWith("---")) {
      if (index > 0) close(index + 1);
      else start = 1;
    } else {
      lines.push(line);
    }
  }
  close(0);
  return documents;
}

function invalid(message: string): SwitchyardError {
  return new SwitchyardError("RESOURCE_INVALID", message);
}

const unwanted: readonly unknown[] = ["timestamp", "binary", "omap", "pairs", "set"].map(
  (name) => `tag:yaml.org,2002:${name}`,
);
const float = "tag:yaml.org,2002:float";
/** The library takes `e1` and `.` for numbers, which are names to every other reader. */
const realFloats: Readonly<Record<string, RegExp>> = {
  EXP: /^[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)[eE][-+]?[0-9]+$/,
  plain: /^[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)$/,
};

/** A MAC address of decimal digits would be a number. */
function isBase60(tag: Exclude<Tags[number], string>): boolean {
  return "format" in tag && tag.format === "TIME";
}

/** Go keeps a date as the text it is, and has no tags of its own. */
function goTags(tags: Tags): Tags {
  return tags
    .filter((tag) => typeof tag === "string" || !(unwanted.includes(tag.tag) || isBase60(tag)))
    .map((tag) => {
      if (typeof tag === "string" || tag.tag !== float || !("test" in tag)) return tag;
      // Not-a-number and the infinities, told apart by their pattern.
      if (tag.test?.test(".inf")) return tag;
      return { ...tag, test: realFloats[tag.format ?? "plain"] ?? tag.test } as ScalarTag;
    });
}

/** The document as plain JSON; `null` if it is empty. @throws SwitchyardError RESOURCE_INVALID */
export function parseDocumentText(document: DocumentText): unknown {
  if (Buffer.byteLength(document.text) > maxDocumentBytes) {
    throw invalid(`document at line ${document.linesBefore + 1} is larger than 10 MiB`);
  }
  const lineCounter = new LineCounter();
  const parsed = parseDocument(document.text, {
    version: "1.1",
    lineCounter,
    prettyErrors: false,
    customTags: goTags,
  });
  const error = parsed.errors[0];
  if (error) {
    const { line, col } = lineCounter.linePos(error.pos[0]);
    const lineOfFile = document.linesBefore + line;
    if (error.code === "DUPLICATE_KEY") {
      const key = /^[^\s:,}]+/.exec(document.text.slice(error.pos[0]))?.[0] ?? "";
      const name = JSON.stringify(key.replace(/^["']|["']$/g, ""));
      throw invalid(
        `error converting YAML to JSON: yaml: unmarshal errors:\n  line ${lineOfFile}: key ${name} already set in map`,
      );
    }
    const reason = error.message.split("\n")[0] ?? error.code;
    throw invalid(
      `error converting YAML to JSON: yaml: line ${lineOfFile}: column ${col}: ${reason}`,
    );
  }
  try {
    return parsed.toJS() as unknown;
  } catch (cause) {
    throw invalid(`error converting YAML to JSON: yaml: ${(cause as Error).message}`);
  }
}
