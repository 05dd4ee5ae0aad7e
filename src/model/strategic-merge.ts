/**
 * Kubernetes' strategic merge patch, which kubectl sends for its own kinds: as a merge patch (RFC 7386), but some
 * lists are merged element by element, and keys that begin with `$` say what is to be done.
 */

import type { Kind } from "./kinds/index.ts";

type Fields = Readonly<Record<string, unknown>>;

/** By the path of the list: the field by which its elements are told apart; "" where they are plain values. */
const everywhere: Readonly<Record<string, string>> = {
  "metadata.ownerReferences": "uid",
  "metadata.finalizers": "",
};
const ofKinds: Partial<Record<Kind, Readonly<Record<string, string>>>> = {
  Service: { "spec.ports": "port", "status.conditions": "type" },
};

const ORDER = "$setElementOrder/";
const REMOVED = "$deleteFromPrimitiveList/";

/** Returns `target` as `patch` changes it; neither argument is changed. */
export function strategicMerge(kind: Kind, target: unknown, patch: unknown): unknown {
  return merged(target, patch, { path: "", keys: { ...everywhere, ...ofKinds[kind] } });
}

interface Place {
  readonly path: string;
  readonly keys: Readonly<Record<string, string>>;
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function merged(target: unknown, patch: unknown, place: Place): unknown {
  if (Array.isArray(patch)) return mergedList(target, patch, place);
  if (!isObject(patch)) return patch;
  const { $patch: directive, $retainKeys: retained, ...changes } = patch;
  const keeps = (key: string) => !Array.isArray(retained) || retained.includes(key);
  const before = isObject(target) && directive !== "replace" ? Object.entries(target) : [];
  // A map, because a key such as `__proto__` must stay an ordinary key.
  const result = new Map(before.filter(([key]) => keeps(key)));
  for (const [key, value] of Object.entries(changes)) {
    if (key.startsWith("$")) continue;
    if (value === null || (isObject(value) && value.$patch === "delete")) result.delete(key);
    else result.set(key, merged(result.get(key), value, inside(place, key)));
  }
  for (const [key, value] of Object.entries(changes)) {
    const name = key.slice(key.indexOf("/") + 1);
    const list = result.get(name);
    if (!Array.isArray(value) || !Array.isArray(list)) continue;
    if (key === `${REMOVED}${name}`) {
      result.set(
        name,
        list.filter((item) => !value.includes(item)),
      );
    }
    if (key === `${ORDER}${name}`) result.set(name, inOrder(list, value, inside(place, name)));
  }
  return Object.fromEntries(result);
}

function inside({ path, keys }: Place, key: string): Place {
  return { path: path === "" ? key : `${path}.${key}`, keys };
}

function mergedList(target: unknown, patch: readonly unknown[], place: Place): unknown {
  const key = place.keys[place.path];
  const replaces = patch.some((item) => isObject(item) && item.$patch === "replace");
  const items = patch.filter((item) => !isObject(item) || item.$patch !== "replace");
  if (key === undefined || replaces || !Array.isArray(target)) {
    return items.filter((item) => !isDeletion(item)).map((item) => merged(undefined, item, place));
  }
  if (key === "") return [...new Set([...target, ...items])];
  const result: unknown[] = [...target];
  for (const item of items) {
    const at = result.findIndex((one) => identity(one, key) === identity(item, key));
    if (isDeletion(item)) {
      if (at >= 0) result.splice(at, 1);
    } else if (at < 0) result.push(merged(undefined, item, place));
    else result[at] = merged(result[at], item, place);
  }
  return result;
}

function isDeletion(item: unknown): boolean {
  return isObject(item) && item.$patch === "delete";
}

function identity(item: unknown, key: string | undefined): unknown {
  return key && isObject(item) ? item[key] : item;
}

/** Those that are named in their order; the others behind them. */
function inOrder(list: readonly unknown[], order: readonly unknown[], place: Place): unknown[] {
  const key = place.keys[place.path];
  const ranks = new Map(order.map((item, rank) => [identity(item, key), rank]));
  const rank = (item: unknown) => ranks.get(identity(item, key)) ?? order.length;
  return [...list].sort((a, b) => rank(a) - rank(b));
}
