/**
 * YAML as calicoctl and kubectl print it (sigs.k8s.io/yaml, an emitter of YAML 1.1): keys sorted,
 * two spaces, dashes not indented, quotes only where a reader would take the text for something
 * else, long text folded at the first space after column 80.
 */

import { scalarText } from "./yaml-scalar.ts";

type Mapping = Readonly<Record<string, unknown>>;

export function formatYaml(value: unknown): string {
  const plain: unknown = JSON.parse(JSON.stringify(value));
  if (isCollection(plain) && !isEmpty(plain)) return block(plain, 0);
  return `${leaf(plain, { column: 0, indent: 0 })}\n`;
}

function isCollection(value: unknown): value is readonly unknown[] | Mapping {
  return typeof value === "object" && value !== null;
}

function isEmpty(value: readonly unknown[] | Mapping): boolean {
  return Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0;
}

function block(value: readonly unknown[] | Mapping, indent: number): string {
  return Array.isArray(value) ? sequence(value, indent) : mapping(value as Mapping, indent);
}

function mapping(value: Mapping, indent: number): string {
  const pad = " ".repeat(indent);
  let text = "";
  for (const key of Object.keys(value).sort(compareKeys)) {
    const label = `${pad}${scalarText(key, { column: indent, indent, key: true })}:`;
    const member = value[key];
    if (isCollection(member) && !isEmpty(member)) {
      // A sequence in a mapping is not indented further than its key.
      text += `${label}\n${block(member, Array.isArray(member) ? indent : indent + 2)}`;
    } else {
      text += `${label} ${leaf(member, { column: label.length + 1, indent: indent + 2 })}\n`;
    }
  }
  return text;
}

function sequence(value: readonly unknown[], indent: number): string {
  const dash = `${" ".repeat(indent)}- `;
  return value
    .map((member) => {
      if (!isCollection(member) || isEmpty(member)) {
        return `${dash}${leaf(member, { column: indent + 2, indent: indent + 2 })}\n`;
      }
      return dash + block(member, indent + 2).slice(indent + 2);
    })
    .join("");
}

function leaf(value: unknown, at: { readonly column: number; readonly indent: number }): string {
  if (Array.isArray(value)) return "[]";
  if (isCollection(value)) return "{}";
  if (typeof value === "string") return scalarText(value, at);
  return String(value);
}

/** Letters after other characters, digits by their number: `a2` before `a10`, `_x` before `ax`. */
export function compareKeys(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const l = left[i]!;
    const r = right[i]!;
    if (l === r) continue;
    if (isLetter(l) && isLetter(r)) return l < r ? -1 : 1;
    if (isLetter(l) || isLetter(r)) return isLetter(l) ? 1 : -1;
    const numbers = numberAt(left, i) - numberAt(right, i);
    if (isDigit(l) && isDigit(r) && numbers !== 0) return numbers;
    return l < r ? -1 : 1;
  }
  return left.length - right.length;
}

function isLetter(character: string): boolean {
  return /\p{L}/u.test(character);
}

function isDigit(character: string): boolean {
  return /[0-9]/.test(character);
}

/** The number that the digit at `index` is part of, from the first of its digits on. */
function numberAt(characters: readonly string[], index: number): number {
  let start = index;
  while (start > 0 && isDigit(characters[start - 1]!)) start--;
  let end = index;
  while (end < characters.length && isDigit(characters[end]!)) end++;
  return end > start ? Number(characters.slice(start, end).join("")) : 0;
}
