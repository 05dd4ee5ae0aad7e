/** The name of a mode as somebody types it. */

import { SwitchyardError } from "../lib/index.ts";
import { type ModeName, modeNames } from "../model/index.ts";

/** Reads `ipip`, `vxlan-cross-subnet`, `none`, … and the like of `IPIP Always` and `bgp`. @throws INVALID_ARGUMENT. */
export function parseMode(text: string): ModeName {
  const key = letters(text).replace(/always$/, "");
  const found = modeNames.find((name) => letters(name) === key);
  if (found !== undefined) return found;
  if (["bgp", "plain", "never"].includes(key)) return "none";
  throw new SwitchyardError(
    "INVALID_ARGUMENT",
    `${JSON.stringify(text)} is no mode; one of ${modeNames.join(", ")}`,
  );
}

const letters = (text: string) => text.toLowerCase().replaceAll(/[^a-z]/g, "");
