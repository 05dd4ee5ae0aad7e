/** Selectors of pools: which nodes and namespaces they serve. */

import { SwitchyardError } from "../lib/index.ts";

/** True if the selector needs no labels to be answered. */
export function selectsAll(selector: string): boolean {
  const text = selector.trim();
  return text === "" || text === "all()";
}

export function selects(selector: string, _labels: Readonly<Record<string, string>>): boolean {
  if (selectsAll(selector)) return true;
  throw new SwitchyardError("OPERATION_NOT_SUPPORTED", `selector ${selector}`);
}
