/**
 * Errors on the wire: a Kubernetes `Status` that any Kubernetes client understands, with our own
 * code beside it so that our client throws the very error the server threw.
 */

import { type ErrorCode, errorCatalogue, errorText, SwitchyardError } from "../../lib/index.ts";

export interface ApiStatus {
  readonly kind: "Status";
  readonly apiVersion: "v1";
  readonly metadata: Readonly<Record<string, never>>;
  readonly status: "Failure" | "Success";
  readonly message: string;
  readonly reason: string;
  readonly code: number;
  readonly details?: Readonly<Record<string, unknown>>;
}

const statusOfCode: Partial<Record<ErrorCode, readonly [code: number, reason: string]>> = {
  RESOURCE_NOT_FOUND: [404, "NotFound"],
  RESOURCE_ALREADY_EXISTS: [409, "AlreadyExists"],
  RESOURCE_CONFLICT: [409, "Conflict"],
  RESOURCE_INVALID: [422, "Invalid"],
  OPERATION_NOT_SUPPORTED: [405, "MethodNotAllowed"],
  WATCH_EXPIRED: [410, "Expired"],
  DATASTORE_UNAVAILABLE: [503, "ServiceUnavailable"],
  INVALID_ARGUMENT: [400, "BadRequest"],
};

export function failureStatus(options: {
  code: number;
  reason: string;
  message: string;
  details?: Readonly<Record<string, unknown>>;
}): ApiStatus {
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", ...options };
}

export function statusFromError(error: unknown): ApiStatus {
  if (!(error instanceof SwitchyardError)) {
    return failureStatus({ code: 500, reason: "InternalError", message: errorText(error) });
  }
  const [code, reason] = statusOfCode[error.code] ?? [500, "InternalError"];
  const details = { ...error.details, switchyardCode: error.code };
  const { message } = error;
  // Of a resource that is invalid, kubectl before 1.25 shows the causes and not the message.
  const causes = code === 422 ? { causes: [{ reason: "FieldValueInvalid", message }] } : {};
  return failureStatus({ code, reason, message, details: { ...details, ...causes } });
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(errorCatalogue, code);
}

/** `body` is what the server answered; `httpCode` decides where the body says nothing. */
export function errorFromStatus(body: unknown, httpCode: number): SwitchyardError {
  const message = field(body, "message");
  const text = typeof message === "string" ? message : `the API server answered HTTP ${httpCode}`;
  const {
    switchyardCode,
    causes: _,
    ...details
  } = (field(body, "details") ?? {}) as Record<string, unknown>;
  if (isErrorCode(switchyardCode)) return new SwitchyardError(switchyardCode, text, { details });
  const reason = field(body, "reason");
  for (const [code, [status, name]] of Object.entries(statusOfCode)) {
    if (reason === name || (reason === undefined && status === httpCode)) {
      return new SwitchyardError(code as ErrorCode, text, { details });
    }
  }
  return new SwitchyardError("DATASTORE_UNAVAILABLE", text, { details });
}
