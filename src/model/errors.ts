/** Calico's error texts, built in one place so that no two callers differ by a character. */

import { SwitchyardError } from "../lib/index.ts";

export interface ObjectName {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string | undefined;
}

/** `Kind(name)` or `Kind(namespace/name)`: how messages name an object. */
export function objectId(object: ObjectName): string {
  const path = object.namespace ? `${object.namespace}/${object.name}` : object.name;
  return `${object.kind}(${path})`;
}

export function notFound(object: ObjectName): SwitchyardError {
  return new SwitchyardError(
    "RESOURCE_NOT_FOUND",
    `resource does not exist: ${objectId(object)} with error: <nil>`,
    { details: { ...object } },
  );
}

export function alreadyExists(object: ObjectName): SwitchyardError {
  return new SwitchyardError(
    "RESOURCE_ALREADY_EXISTS",
    `resource already exists: ${objectId(object)} with error: <nil>`,
    { details: { ...object } },
  );
}

export function updateConflict(object: ObjectName): SwitchyardError {
  return new SwitchyardError("RESOURCE_CONFLICT", `update conflict: ${objectId(object)}`, {
    details: { ...object },
  });
}

export function notSupported(
  operation: string,
  object: ObjectName,
  reason?: string,
): SwitchyardError {
  const tail = reason === undefined ? "" : `: ${reason}`;
  return new SwitchyardError(
    "OPERATION_NOT_SUPPORTED",
    `operation ${operation} is not supported on ${objectId(object)}${tail}`,
    { details: { ...object } },
  );
}

/** One thing wrong with one field. */
export interface FieldError {
  readonly name: string;
  /** Printed in quotes unless absent. */
  readonly value?: unknown;
  readonly reason?: string;
}

/** As Go's `%v` prints it: lists in brackets without commas, absent as `<nil>`. */
function goText(value: unknown): string {
  if (value === null) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(goText).join(" ")}]`;
  if (typeof value === "object") {
    return `{${Object.values(value as object)
      .map(goText)
      .join(" ")}}`;
  }
  return String(value);
}

function fieldText(field: FieldError): string {
  const value = field.value === undefined ? "" : ` = '${goText(field.value)}'`;
  const reason = field.reason ? ` (${field.reason})` : "";
  return `${field.name}${value}${reason}`;
}

export function validationError(fields: readonly FieldError[]): SwitchyardError {
  let message = "unknown validation error";
  if (fields.length === 1) message = `error with field ${fieldText(fields[0]!)}`;
  if (fields.length > 1) {
    const lines = fields.map((field) => `-  ${fieldText(field)}\n`);
    message = `error with the following fields:\n${lines.join("")}`;
  }
  return new SwitchyardError("RESOURCE_INVALID", message, {
    details: { fields: fields.map((field) => field.name) },
  });
}

/** What go-playground's validator says when a field fails its tag; the trailing space is real. */
export function tagError(options: { field: string; value: unknown; tag: string }): FieldError {
  const { field, value, tag } = options;
  return {
    name: field,
    value,
    reason: `Reason: failed to validate Field: ${field} because of Tag: ${tag} `,
  };
}
