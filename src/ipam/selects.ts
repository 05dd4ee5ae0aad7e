/** Selectors of pools: which nodes and namespaces they serve. */

import { type Labels, parseSelector } from "../model/index.ts";

/** True if the selector needs no labels to be answered. */
export function selectsAll(selector: string): boolean {
  const text = selector.trim();
  return text === "" || text === "all()";
}

/** @throws SwitchyardError if the selector cannot be read. */
export function selects(selector: string, labels: Labels): boolean {
  return selectsAll(selector) || parseSelector(selector).matches(labels);
}
