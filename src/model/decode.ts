/**
 * From untrusted JSON to a {@link Resource}: strict as Go's decoder is strict, with its words, so
 * that the command line can say what the real calicoctl says about the same file.
 */

import { z } from "zod";
import { SwitchyardError } from "../lib/index.ts";
import { alignFields } from "./decode-fields.ts";
import { type FieldError, validationError } from "./errors.ts";
import { type Kind, kinds, kindTable } from "./kinds/index.ts";
import { metadataSchema } from "./metadata.ts";
import type { Resource, ResourceOf } from "./resource.ts";

const envelopes = new Map<Kind, z.ZodType>(
  kinds.map((kind) => {
    const { apiVersion, spec, status, ...row } = kindTable[kind];
    return [
      kind,
      z.strictObject({
        apiVersion: z.literal(apiVersion),
        kind: z.literal(kind),
        metadata: metadataSchema,
        ...("body" in row && row.body.shape),
        spec,
        status: status.optional(),
      }),
    ];
  }),
);

function invalid(message: string): SwitchyardError {
  return new SwitchyardError("RESOURCE_INVALID", message);
}

function jsonType(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number" || typeof value === "bigint") return `number ${value}`;
  return typeof value;
}

/** The value of a top-level field whatever the case of its name. */
function headerText(value: object, field: string): string {
  for (const [key, item] of Object.entries(value)) {
    if (key.toLowerCase() === field && typeof item === "string") return item;
  }
  return "";
}

function kindOf(value: object): Kind {
  const kind = headerText(value, "kind");
  const apiVersion = headerText(value, "apiversion");
  const found = Object.hasOwn(kindTable, kind) ? kindTable[kind as Kind] : undefined;
  if (found?.apiVersion === apiVersion) return kind as Kind;
  throw invalid(`unknown resource type (${kind}) and/or version (${apiVersion})`);
}

/** @throws SwitchyardError RESOURCE_INVALID; the message names every unknown field. */
export function decodeResource(value: unknown): Resource {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid(`json: cannot unmarshal ${jsonType(value)} into a resource: expected an object`);
  }
  const kind = kindOf(value);
  const unknown: string[] = [];
  const aligned = alignFields(envelopes.get(kind)!, value, { path: "", unknown });
  const result = envelopes.get(kind)!.safeParse(aligned);
  if (!result.success) throw refusal(kind, aligned, result.error.issues);
  if (unknown.length > 0) {
    const fields = unknown.map((path) => `unknown field ${JSON.stringify(path)}`);
    throw new SwitchyardError("RESOURCE_INVALID", `strict decoding error: ${fields.join(", ")}`, {
      details: { unknownFields: unknown },
    });
  }
  return result.data as Resource;
}

/** Like {@link decodeResource}, when the kind is known beforehand. */
export function decodeResourceOf<K extends Kind>(kind: K, value: unknown): ResourceOf<K> {
  const resource = decodeResource(value);
  if (resource.kind !== kind) throw invalid(`expected a ${kind}, got a ${resource.kind}`);
  return resource as unknown as ResourceOf<K>;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let here = value;
  for (const key of path) here = (here as Record<PropertyKey, unknown> | undefined)?.[key];
  return here;
}

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, key) =>
      typeof key === "number"
        ? `${text}[${key}]`
        : text === ""
          ? String(key)
          : `${text}.${String(key)}`,
    "",
  );
}

const goTypes: Readonly<Record<string, string>> = {
  boolean: "bool",
  int: "int",
  number: "int",
  array: "[]string",
  record: "map[string]string",
  object: "struct",
};

/** Wrong types first, as Go stops at them; then every value outside its set. */
function refusal(kind: Kind, value: unknown, issues: readonly z.core.$ZodIssue[]): SwitchyardError {
  const unknownUses: FieldError[] = [];
  const choices: FieldError[] = [];
  for (const issue of issues) {
    const path = pathText(issue.path);
    if (issue.code === "custom") return invalid(issue.message);
    if (issue.code === "invalid_value" && typeof valueAt(value, issue.path) === "string") {
      const supported = issue.values.map((choice) => JSON.stringify(choice)).join(", ");
      choices.push({ name: path, reason: `supported values: ${supported}` });
      if (kind === "IPPool" && path.startsWith("spec.allowedUses[")) {
        unknownUses.push(unknownUse(value, issue.path));
      }
      continue;
    }
    const expected = issue.code === "invalid_type" ? issue.expected : "string";
    const got = jsonType(valueAt(value, issue.path));
    // Go names no list index here.
    const field = `${kind}.${path.replace(/\[\d+\]/g, "")}`;
    const goType = goTypes[expected] ?? expected;
    return invalid(`json: cannot unmarshal ${got} into Go struct field ${field} of type ${goType}`);
  }
  return validationError([...unknownUses, ...choices]);
}

/** The one set of values that Calico's validator checks besides the schema, and before it. */
function unknownUse(pool: unknown, path: readonly PropertyKey[]): FieldError {
  const uses = valueAt(pool, path.slice(0, -1));
  const reason = `unknown use: ${valueAt(pool, path)}`;
  return { name: "IPpool.AllowedUses", value: uses, reason };
}
