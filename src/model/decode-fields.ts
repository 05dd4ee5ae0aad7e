/**
 * The part of Go's JSON decoding that a schema library does not do: field names in any case, null
 * meaning absent, absent meaning the zero value, and unknown fields named by their path.
 */

import type { z } from "zod";

type Schema = z.core.$ZodType;

const lowerCaseNames = new WeakMap<object, ReadonlyMap<string, string>>();

function namesOf(shape: Readonly<Record<string, Schema>>): ReadonlyMap<string, string> {
  let names = lowerCaseNames.get(shape);
  if (!names) {
    names = new Map(Object.keys(shape).map((name) => [name.toLowerCase(), name]));
    lowerCaseNames.set(shape, names);
  }
  return names;
}

function isOptional(schema: Schema): boolean {
  const { type } = (schema as z.core.$ZodTypes)._zod.def;
  return type === "optional";
}

/** The schema inside `optional` and `nullable`, and the input side of a transform. */
function unwrap(schema: Schema): { inner: z.core.$ZodTypes; nullable: boolean } {
  let inner = schema as z.core.$ZodTypes;
  let nullable = false;
  for (;;) {
    const def = inner._zod.def;
    if (def.type === "nullable") nullable = true;
    if (def.type === "nullable" || def.type === "optional") {
      inner = def.innerType as z.core.$ZodTypes;
    } else if (def.type === "pipe") {
      inner = def.in as z.core.$ZodTypes;
    } else {
      return { inner, nullable };
    }
  }
}

/** Go's zero value of a required field, or undefined where there is none. */
function zeroValue(schema: Schema): unknown {
  const { inner, nullable } = unwrap(schema);
  if (nullable) return null;
  const def = inner._zod.def;
  switch (def.type) {
    case "string":
      return "";
    case "number":
      return 0;
    case "boolean":
      return false;
    case "array":
      return [];
    case "record":
      return {};
    case "object":
      return alignFields(inner, {}, { path: "", unknown: [] });
    case "union":
      return def.options.map(zeroValue).find((zero) => zero !== undefined);
    case "enum":
      return Object.values(def.entries).includes("") ? "" : undefined;
    default:
      return undefined;
  }
}

export interface AlignContext {
  /** Dotted path of `value` in its document. */
  readonly path: string;
  /** Paths of fields the schema does not know are added here. */
  readonly unknown: string[];
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns `value` as `schema` spells it; what has the wrong type is left for the schema to refuse. */
export function alignFields(schema: Schema, value: unknown, context: AlignContext): unknown {
  const def = unwrap(schema).inner._zod.def;
  if (def.type === "array" && Array.isArray(value)) {
    return value.map((item, index) =>
      alignFields(def.element, item, { ...context, path: `${context.path}[${index}]` }),
    );
  }
  if (!isPlainObject(value)) return value;
  if (def.type === "record") {
    const entries = Object.entries(value).map(([key, item]) => [
      key,
      alignFields(def.valueType, item, { ...context, path: `${context.path}.${key}` }),
    ]);
    return Object.fromEntries(entries);
  }
  return def.type === "object" ? alignObject(def, value, context) : value;
}

function alignObject(
  def: z.core.$ZodObjectDef,
  value: Readonly<Record<string, unknown>>,
  context: AlignContext,
): unknown {
  const shape = def.shape as Readonly<Record<string, Schema>>;
  const names = namesOf(shape);
  const aligned: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const name = Object.hasOwn(shape, key) ? key : names.get(key.toLowerCase());
    const path = context.path === "" ? key : `${context.path}.${key}`;
    if (name === undefined) {
      if (def.catchall?._zod.def.type === "unknown") setOwn(aligned, key, item);
      else context.unknown.push(path);
      continue;
    }
    const field = shape[name]!;
    const { inner, nullable } = unwrap(field);
    if (item === null && !nullable) continue;
    // Go drops "" of an enum when it writes JSON (omitempty), so "" means unset.
    const { def: innerDef } = inner._zod;
    if (item === "" && innerDef.type === "enum" && isOptional(field)) {
      if (!Object.values(innerDef.entries).includes("")) continue;
    }
    aligned[name] = alignFields(field, item, { ...context, path });
  }
  for (const [name, field] of Object.entries(shape)) {
    if (Object.hasOwn(aligned, name) || isOptional(field)) continue;
    const zero = zeroValue(field);
    if (zero !== undefined) aligned[name] = zero;
  }
  return aligned;
}

/** Assignment that cannot reach a prototype. */
function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(target, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}
