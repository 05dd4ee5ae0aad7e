/** Plain JSON of a file's document to the resources in it: one object, a list kind, or an array. */

import { SwitchyardError } from "../../lib/index.ts";
import { decodeResource, type ExposedKind, exposedKinds, kindTable } from "../../model/index.ts";
import type { ExposedResource, Target } from "../crud/target.ts";
import { parseDocumentText, splitDocuments } from "./documents.ts";

/** The prefix that calicoctl's JSON errors carry until they are shown. */
const jsonPrefix = "error unmarshaling JSON: while decoding JSON: ";

export function decodeFile(text: string): readonly Target[] {
  return splitDocuments(text).flatMap((document) => decodeDocument(parseDocumentText(document)));
}

function decodeDocument(value: unknown): readonly Target[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.flatMap(decodeDocument);
  if (typeof value !== "object") {
    throw invalid(
      `${jsonPrefix}json: cannot unmarshal ${jsonTypeOf(value)} into Go value of type unstructured.detector`,
    );
  }
  const { kind, apiVersion } = value as { kind?: unknown; apiVersion?: unknown };
  if (kind === undefined) {
    throw invalid(
      `${jsonPrefix}json: cannot unmarshal object into Go value of type []unstructured.Unstructured`,
    );
  }
  const items = listItems(value);
  if (items !== undefined) return items.map(decodeOne);
  requireExposed(kind, apiVersion);
  return [decodeOne(value)];
}

function invalid(message: string): SwitchyardError {
  return new SwitchyardError("RESOURCE_INVALID", message);
}

function jsonTypeOf(value: unknown): string {
  return typeof value === "boolean" ? "bool" : typeof value;
}

function requireExposed(kind: unknown, apiVersion: unknown): void {
  const exposed = exposedKinds.some(
    (name) => name === kind && kindTable[name].apiVersion === apiVersion,
  );
  if (exposed) return;
  throw invalid(
    `unknown resource type (${String(kind ?? "")}) and/or version (${String(apiVersion ?? "")})`,
  );
}

/** The items of `…List`, or `undefined` if the object is no list of ours. */
function listItems(value: object): readonly unknown[] | undefined {
  const { kind, apiVersion, ...rest } = value as Record<string, unknown>;
  if (typeof kind !== "string" || !kind.endsWith("List")) return undefined;
  requireExposed(kind.slice(0, -"List".length), apiVersion);
  const unknownField = Object.keys(rest).find((key) => key !== "metadata" && key !== "items");
  if (unknownField) throw invalid(`json: unknown field ${JSON.stringify(unknownField)}`);
  const items = rest.items ?? [];
  if (!Array.isArray(items)) {
    throw invalid(
      `${jsonPrefix}json: cannot unmarshal ${jsonTypeOf(items)} into Go struct field ${kind}.items`,
    );
  }
  return items;
}

function decodeOne(value: unknown): Target {
  const raw = (value ?? {}) as RawResource;
  requireExposed(raw.kind, raw.apiVersion);
  try {
    const resource = decodeResource(value) as unknown as ExposedResource;
    const { name, namespace, resourceVersion } = resource.metadata;
    return {
      kind: resource.kind,
      name,
      resource,
      ...(namespace ? { namespace } : {}),
      ...(resourceVersion ? { resourceVersion } : {}),
    };
  } catch (error) {
    if (!(error instanceof SwitchyardError) || error.details.fields === undefined) throw error;
    // A value outside its set is read and refused later, when the resource is written: its
    // neighbours in the file are not to blame.
    const { name, namespace } = raw.metadata ?? {};
    return {
      kind: raw.kind as ExposedKind,
      name: String(name ?? ""),
      refusal: error,
      ...(namespace ? { namespace: String(namespace) } : {}),
    };
  }
}

interface RawResource {
  readonly kind?: unknown;
  readonly apiVersion?: unknown;
  readonly metadata?: { readonly name?: unknown; readonly namespace?: unknown };
}
