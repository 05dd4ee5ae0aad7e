/** What a command works on: a resource from a file, or one named on the command line. */

import { SwitchyardError } from "../../lib/index.ts";
import {
  decodeResource,
  type ExposedKind,
  kindFromAlias,
  kindTable,
  type ResourceOf,
} from "../../model/index.ts";

/** A resource of a kind that operators see, told apart by `kind`. */
export type ExposedResource = { [K in ExposedKind]: ResourceOf<K> }[ExposedKind];

export interface Target {
  readonly kind: ExposedKind;
  /** Absent: every resource of the kind. */
  readonly name?: string;
  readonly namespace?: string;
  readonly resourceVersion?: string;
  /** As the file has it; absent if named on the command line. */
  readonly resource?: ExposedResource;
  /** Why the file's resource cannot be written, if it can be named but not used. */
  readonly refusal?: SwitchyardError;
}

export interface TargetSelection {
  readonly kind: string | undefined;
  readonly names: readonly string[];
  readonly filename: string | undefined;
  readonly recursive: boolean;
}

export interface Targets {
  readonly targets: readonly Target[];
  /** The one kind of all targets, absent if they are mixed. */
  readonly singleKind: ExposedKind | undefined;
  /** The file or directory holds nothing. */
  readonly emptySource: string | undefined;
}

/** @throws SwitchyardError; nothing has been done by then. */
export async function selectTargets(selection: TargetSelection): Promise<Targets> {
  if (selection.filename !== undefined) return await targetsFromFile(selection);
  const kind = requireKind(selection.kind);
  for (const name of selection.names) {
    if (name === "")
      throw new SwitchyardError("INVALID_ARGUMENT", "resource name may not be empty");
  }
  const targets =
    selection.names.length > 0 ? selection.names.map((name) => ({ kind, name })) : [{ kind }];
  return { targets, singleKind: kind, emptySource: undefined };
}

export function requireKind(kind: string | undefined): ExposedKind {
  if (kind === undefined) {
    throw new SwitchyardError(
      "INVALID_ARGUMENT",
      "no resource specified: give KIND and NAME, or a file with --filename",
    );
  }
  const found = kindFromAlias(kind);
  if (found) return found;
  throw new SwitchyardError("INVALID_ARGUMENT", `resource type '${kind}' is not supported`);
}

/** Loads what reads files only now: most commands name what they mean. */
async function targetsFromFile(selection: TargetSelection): Promise<Targets> {
  const { describeSource, readInputFiles } = await import("../input/files.ts");
  const { decodeFile } = await import("../input/decode.ts");
  const path = selection.filename ?? "";
  const files = readInputFiles(path, { recursive: selection.recursive });
  const targets = files.flatMap((file) => decodeFile(file.text));
  const kinds = new Set(targets.map((target) => target.kind));
  const [firstKind] = kinds;
  return {
    targets,
    singleKind: kinds.size === 1 ? firstKind : undefined,
    emptySource: targets.length === 0 ? describeSource(path) : undefined,
  };
}

/** The resource to write; one that was only named has an empty spec. */
export function resourceOf(target: Target): ExposedResource {
  if (target.refusal) throw target.refusal;
  if (target.resource) return target.resource;
  const { apiVersion } = kindTable[target.kind];
  const metadata = { name: target.name ?? "" };
  return decodeResource({
    apiVersion,
    kind: target.kind,
    metadata,
    spec: {},
  }) as unknown as ExposedResource;
}
