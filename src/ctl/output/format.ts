/** The values of `get --output`: checked before the datastore is asked, used when printing. */

import { failure } from "../crud/errors.ts";

export type OutputFormat =
  | { readonly kind: "ps" }
  | { readonly kind: "wide" }
  | { readonly kind: "yaml" }
  | { readonly kind: "json" }
  | { readonly kind: "custom-columns"; readonly headings: readonly string[] };

/** @throws SwitchyardError if there is no such format. */
export function parseOutputFormat(text: string): OutputFormat {
  const equals = text.indexOf("=");
  const name = equals < 0 ? text : text.slice(0, equals);
  const value = equals < 0 ? "" : text.slice(equals + 1);
  switch (name) {
    case "custom-columns":
      if (value === "") throw failure("need to specify at least one column");
      return { kind: "custom-columns", headings: value.split(",") };
    case "go-template":
    case "go-template-file":
      throw failure(
        `output format '${name}' is not supported by switchyard: use json, yaml or custom-columns`,
      );
    default:
  }
  switch (text) {
    case "ps":
    case "wide":
    case "yaml":
    case "json":
      return { kind: text };
    case "yml":
      return { kind: "yaml" };
    default:
      throw failure(`unrecognized output format '${text}'`);
  }
}
