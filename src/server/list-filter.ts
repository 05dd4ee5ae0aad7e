/**
 * `labelSelector` and `fieldSelector` of a list or a watch, as Kubernetes' clients write them. What is not understood is
 * refused: a client that deletes what it selects must never be given more than that.
 */

import type { Kind, ResourceOf } from "../model/index.ts";
import { badRequest } from "./requests.ts";

type Labels = Readonly<Record<string, string>>;
type Condition = (value: string | undefined) => boolean;

export type ListFilter = (resource: ResourceOf<Kind>) => boolean;

/** @throws INVALID_ARGUMENT */
export function listFilter(query: unknown): ListFilter {
  const { labelSelector, fieldSelector } = query as Record<string, unknown>;
  const labels = parts(labelSelector, "labelSelector").map(labelCondition);
  const fields = parts(fieldSelector, "fieldSelector").map(fieldCondition);
  return ({ metadata }) => {
    const held: Labels = metadata.labels ?? {};
    const named: Labels = { name: metadata.name, namespace: metadata.namespace ?? "" };
    return (
      labels.every(({ key, holds }) => holds(Object.hasOwn(held, key) ? held[key] : undefined)) &&
      fields.every(({ key, holds }) => holds(named[key]))
    );
  };
}

/** At the commas that do not stand in a set. */
function parts(value: unknown, parameter: string): string[] {
  if (value === undefined || value === "") return [];
  if (typeof value !== "string") throw badRequest(`${parameter} is to be given once`);
  return value.split(/,(?![^(]*\))/).map((part) => part.trim());
}

const NAME = "[A-Za-z0-9](?:[-_./A-Za-z0-9]*[A-Za-z0-9])?";
const VALUE = "[-_.A-Za-z0-9]*";
const exists = new RegExp(`^(!?) *(${NAME})$`);
const compared = new RegExp(`^(${NAME}) *(==|=|!=) *(${VALUE})$`);
const oneOf = new RegExp(`^(${NAME}) +(in|notin) +\\(([^()]*)\\)$`);

interface KeyCondition {
  readonly key: string;
  readonly holds: Condition;
}

function labelCondition(text: string): KeyCondition {
  const [, not, wanted] = exists.exec(text) ?? [];
  if (wanted) return { key: wanted, holds: (value) => (value === undefined) === (not === "!") };
  const [, set, operator, list = ""] = oneOf.exec(text) ?? [];
  if (set) {
    const values = new Set(list.split(",").map((value) => value.trim()));
    const isIn: Condition = (value) => value !== undefined && values.has(value);
    return { key: set, holds: operator === "in" ? isIn : (value) => !isIn(value) };
  }
  return comparison(text, "label");
}

function fieldCondition(text: string): KeyCondition {
  const { key, holds } = comparison(text, "field");
  const name = /^metadata\.(name|namespace)$/.exec(key)?.[1];
  if (name === undefined) throw badRequest(`field label not supported: ${key}`);
  return { key: name, holds };
}

function comparison(text: string, what: string): KeyCondition {
  const [, key, operator, value] = compared.exec(text) ?? [];
  if (key === undefined) throw badRequest(`unable to parse the ${what} selector: ${text}`);
  const equal = operator !== "!=";
  return { key, holds: (held) => (held === value) === equal };
}
