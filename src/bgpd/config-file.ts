/** Reads the configuration file: YAML, of which JSON is a part. Mistakes are told together, by line and field. */

import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { z } from "zod";
import { peerProblem, Speaker, type SpeakerConfig } from "../bgp/index.ts";
import { errorText, SwitchyardError, systemClock } from "../lib/index.ts";
import { silentLog } from "../lib/log/index.ts";
import { type FileText, readText } from "./file-text.ts";
import { problemWords, unknownField } from "./problem-words.ts";
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
  const file = readText(text);
  if (file.mistakes.length > 0) throw refuse(path, file.mistakes);
  const { data, error } = fileSchema.safeParse(file.value, { error: problemWords });
  if (error) throw refuse(path, problemsOf(error.issues, file));
  const { logLevel, ...speaker } = data;
  const config = withPasswords(path, speaker);
  checkAsSpeaker(path, config, file);
  return { speaker: config, ...(logLevel && { logLevel }) };
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

/** Ranges, names that appear twice and the like, in the speaker's words: of every peer, else the first there is. */
function checkAsSpeaker(path: string, config: SpeakerConfig, file: FileText): void {
  try {
    new Speaker({ clock: systemClock, log: silentLog, config });
  } catch (error) {
    const ofPeers = config.peers.flatMap((peer) => peerProblem(peer) ?? []);
    const problems = ofPeers.length > 0 ? ofPeers : [errorText(error)];
    throw refuse(
      path,
      problems.map((problem) => {
        const words = problem.replace(/^BGP configuration: /, "");
        return atLine(file.lineOf(pathOf(words.split(": ")[0]!, config)), words);
      }),
      error,
    );
  }
}

/** Where in the file a field stands that is called as the speaker calls it, with the name of its peer. */
function pathOf(field: string, { peers }: SpeakerConfig): readonly PropertyKey[] {
  const index = peers.findLastIndex(({ name }) => `${field}.`.startsWith(`peers.${name}.`));
  if (index < 0) return field.split(".");
  const rest = field.slice(`peers.${peers[index]!.name}.`.length);
  return ["peers", index, ...(rest === "" ? [] : rest.split("."))];
}

function atLine(line: number | undefined, words: string): string {
  return line === undefined ? words : `line ${line}: ${words}`;
}

/** In the order of the file. */
function problemsOf(issues: readonly z.core.$ZodIssue[], file: FileText): string[] {
  return issues
    .flatMap((issue) => {
      if (issue.code !== "unrecognized_keys") return [{ path: issue.path, words: issue.message }];
      return issue.keys.map((key) => ({ path: [...issue.path, key], words: unknownField(key) }));
    })
    .map(({ path, words }) => ({
      field: fieldText(path, file.value),
      line: file.lineOf(path),
      words,
    }))
    .sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
    .map(({ field, line, words }) => atLine(line, `${field}: ${words}`));
}

/** Peers by their names, as the speaker calls them: nobody counts entries of a list. */
function fieldText(path: readonly PropertyKey[], value: unknown): string {
  const [first, index, ...rest] = path.map(String);
  const peers = (value as { peers?: readonly { name?: unknown }[] } | null)?.peers;
  const name = first === "peers" && index !== undefined ? peers?.[Number(index)]?.name : undefined;
  const words = typeof name === "string" ? [first, name, ...rest] : path.map(String);
  return words.join(".") || "the file";
}

function refuse(path: string, problems: readonly string[], cause?: unknown): SwitchyardError {
  const lines = problems.map((problem) => `${path}: ${problem}`);
  return new SwitchyardError("INVALID_ARGUMENT", lines.join("\n"), { cause });
}
