/**
 * Everything that is known beforehand to go wrong with a change, from resources alone: nothing is sent, and nothing
 * written. Pure; O(nodes + pools x pools + peers x nodes).
 */

import { errorText } from "../../lib/index.ts";
import type { Trap } from "../../model/index.ts";
import { trapCatalogue } from "./catalogue.ts";
import { trapContext } from "./context.ts";
import type { TrapInput } from "./types.ts";

/** Names of nodes kept with a trap; its message says how many there are. */
const MOST_NODES = 100;

/** Those that refuse come first. A check that fails is itself a trap, and takes no other with it. */
export function findTraps(input: TrapInput): Trap[] {
  const context = trapContext(input);
  const traps = trapCatalogue.flatMap(({ code, remedy, find }): Trap[] => {
    try {
      return find(context).map((found) => ({
        code,
        severity: found.severity,
        message: found.message,
        nodes: found.nodes.slice(0, MOST_NODES),
        remedy: found.remedy ?? remedy,
      }));
    } catch (error) {
      const message = `could not be checked: ${errorText(error)}`;
      return [{ code, severity: "warn", message, nodes: [], remedy }];
    }
  });
  return traps.sort((a, b) => Number(a.severity === "warn") - Number(b.severity === "warn"));
}
