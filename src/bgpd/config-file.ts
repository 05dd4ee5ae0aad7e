/** Reads the configuration file: YAML, of which JSON is a part. Every mistake is told at once, by field. */

import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseDocument } from "yaml";
import { Speaker, type SpeakerConfig } from "../bgp/index.ts";
import { errorText, SwitchyardError, systemClock } from "../lib/index.ts";
import { silentLog } from "../lib/log/index.ts";
import { type FileFields, fileSchema } from "./schema.ts";

export interface BgpdConfig {
  readonly speaker: SpeakerConfig;
  readonly logLevel?: string;
}

/** @throws SwitchyardError INVALID_ARGUMENT that names the file, and each wrong field with why */
export function readConfig(path: string): BgpdConfig {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw refuse(path, [errorText(error)], error);
  }
  const value = fieldsOf(path, text);
  const { data, error } = fileSchema.safeParse(value);
  if (error)
    throw refuse(
      path,
      error.issues.map((issue) => problemText(issue, value)),
    );
  const { logLevel, ...speaker } = data;
  const config = withPasswords(path, speaker);
  checkAsSpeaker(path, config);
  return { speaker: config, ...(logLevel && { logLevel }) };
}

/** JSON first: what a program writes may be large, and reading it as YAML takes a hundred times as long. */
function fieldsOf(path: string, text: string): unknown {
  if (text.trimStart().startsWith("{")) {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      // YAML has such a form too; its reader names the line.
    }
  }
  const document = parseDocument(text);
  if (document.errors.length > 0) throw refuse(path, document.errors.map(firstLine));
  return document.toJS();
}

function withPasswords(path: string, fields: Omit<FileFields, "logLevel">): SpeakerConfig {
  const peers = fields.peers.map(({ passwordFile, ...peer }) => {
    if (passwordFile === undefined) return peer;
    if (peer.password !== undefined) {
      throw refuse(path, [`peers.${peer.name}: password and passwordFile are both there`]);
    }
    const file = resolve(dirname(path), passwordFile);
    try {
      return { ...peer, password: readFileSync(file, "utf8").replace(/\r?\n$/, "") };
    } catch (error) {
      throw refuse(path, [`peers.${peer.name}.passwordFile: ${errorText(error)}`], error);
    }
  });
  // What is not in the file is absent, never undefined: the types differ in nothing else.
  return { ...fields, peers } as SpeakerConfig;
}

/** Ranges, names that appear twice and the like, in the speaker's words. */
function checkAsSpeaker(path: string, config: SpeakerConfig): void {
  try {
    new Speaker({ clock: systemClock, log: silentLog, config });
  } catch (error) {
    throw refuse(path, [errorText(error).replace(/^BGP configuration: /, "")], error);
  }
}

/** Peers by their names, as the speaker calls them: nobody counts entries of a list. */
function problemText(
  { path, message }: { readonly path: readonly PropertyKey[]; readonly message: string },
  value: unknown,
): string {
  const [first, index, ...rest] = path.map(String);
  const peers = (value as { peers?: readonly { name?: unknown }[] } | null)?.peers;
  const name = first === "peers" && index !== undefined ? peers?.[Number(index)]?.name : undefined;
  const words = typeof name === "string" ? [first, name, ...rest] : path.map(String);
  return `${words.join(".") || "the file"}: ${message}`;
}

function firstLine({ message }: Error): string {
  return message.split("\n")[0]!.replace(/:$/, "");
}

function refuse(path: string, problems: readonly string[], cause?: unknown): SwitchyardError {
  const lines = problems.length === 1 ? problems[0]! : `\n${problems.join("\n")}`;
  return new SwitchyardError("INVALID_ARGUMENT", `${path}: ${lines}`, { cause });
}
