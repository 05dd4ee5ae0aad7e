/** What is wrong with a value of the configuration file, in an operator's words. */

import type { z } from "zod";
import { allFields } from "./schema.ts";

/** `undefined`: as the value's own reader says it. */
export function problemWords(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined
        ? "is missing"
        : `${shown(issue.input)} is no ${nouns[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `${shown(issue.input)} is none of ${issue.values.map(String).join(", ")}`;
    case "invalid_union":
      // The one there is: `addPath.send`.
      return `${shown(issue.input)} is neither "all" nor a number`;
    default:
      return undefined;
  }
}

const nouns: Readonly<Record<string, string>> = {
  int: "whole number",
  object: "set of fields (name: value)",
  array: "list",
  boolean: "flag: true or false",
  string: "text",
};

function shown(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "a set of fields";
  return JSON.stringify(value) ?? String(value);
}

export function unknownField(name: string): string {
  const like = allFields.find((field) => isLike(field, name));
  return `there is no such field${like === undefined ? "" : `; is it ${like}?`}`;
}

/** As others write it, or with a slip or two. */
function isLike(field: string, name: string): boolean {
  const [one, other] = [field, name].map((text) => text.toLowerCase().replaceAll(/[-_]|imum/g, ""));
  return distance(one!, other!) <= Math.min(2, Math.floor(field.length / 4));
}

/** Levenshtein's. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
