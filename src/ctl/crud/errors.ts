/** The last step of every error on its way to the terminal. */

import { errorText, hasCode, SwitchyardError } from "../../lib/index.ts";

/** An error whose whole text is `text`. */
export function failure(text: string, cause?: unknown): SwitchyardError {
  return new SwitchyardError("COMMAND_FAILED", text, { cause });
}

const jsonPrefix = "error unmarshaling JSON: while decoding JSON: json: ";

/** Operators get the name of the field that is wrong instead of a decoder's words around it. */
export function massage(text: string): string {
  const unknown = /unknown field "([^"]+)"/.exec(text)?.[1];
  if (unknown !== undefined) {
    const leaf = unknown.replace(/^.*\./, "");
    return `field in document is not recognized or is in the wrong location: ${leaf}`;
  }
  return text.startsWith(jsonPrefix) ? text.slice(jsonPrefix.length) : text;
}

/** A datastore that is away ends a command at once: every further resource would fail the same. */
export function rethrowIfUnavailable(error: unknown): void {
  if (hasCode(error, "DATASTORE_UNAVAILABLE")) throw error;
}

/** As Go prints a list of errors. */
export function errorList(errors: readonly unknown[]): string {
  return `[${errors.map(errorText).join(" ")}]`;
}
