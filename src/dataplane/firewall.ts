/**
 * Keeps our nftables table as planned. What was applied is remembered in the kernel itself: a chain
 * `marker` holds a digest of the script and one of what `nft list` printed after it. Both must still
 * match, else the script is run again; so a restart changes nothing and a hand in the table is noticed.
 */

import { createHash } from "node:crypto";
import type { Clock } from "../lib/index.ts";
import { hasCode } from "../lib/index.ts";
import { type FirewallInput, firewallTable, renderFirewall } from "./firewall-render.ts";
import { nft } from "./nft.ts";

export interface FirewallOptions {
  readonly namespace?: string;
  readonly clock: Clock;
  /** An unchanged table is looked at again after this time only: each look costs a process. */
  readonly checkMs: number;
}

const TABLE = `ip ${firewallTable}`;
const MARKER = /\n*\tchain marker \{\n\t\treturn comment "([0-9a-f]+) ([0-9a-f]+)"\n\t\}/;

export class Firewall {
  readonly #options: FirewallOptions;
  #script: string | undefined;
  #checkedMs = Number.NEGATIVE_INFINITY;

  constructor(options: FirewallOptions) {
    this.#options = options;
  }

  /** True if the table had to be changed. @throws what nft says. */
  async ensure(input: FirewallInput): Promise<boolean> {
    const script = renderFirewall(input);
    const { clock, checkMs } = this.#options;
    const fresh = clock.monotonicMs() - this.#checkedMs < checkMs;
    if (script === this.#script && fresh) return false;
    this.#script = undefined;
    const changed = !(await this.#holds(script));
    if (changed) await this.#replace(script);
    this.#script = script;
    this.#checkedMs = clock.monotonicMs();
    return changed;
  }

  async #holds(script: string): Promise<boolean> {
    const listing = await this.#list();
    const marker = listing === undefined ? null : MARKER.exec(listing);
    if (listing === undefined || marker === null) return false;
    const unmarked = listing.replace(MARKER, "");
    return marker[1] === digest(script) && marker[2] === digest(unmarked);
  }

  async #replace(script: string): Promise<void> {
    await this.#run(["-f", "-"], script);
    const listing = (await this.#list()) ?? "";
    const comment = `${digest(script)} ${digest(listing)}`;
    const rule = `add rule ${TABLE} marker return comment "${comment}"\n`;
    await this.#run(["-f", "-"], `add chain ${TABLE} marker\n${rule}`);
  }

  /** Our table without counters, or undefined if there is none. */
  async #list(): Promise<string | undefined> {
    try {
      return await this.#run(["-s", "list", "table", "ip", firewallTable]);
    } catch (error) {
      if (hasCode(error, "COMMAND_FAILED") && error.message.includes("No such file or directory")) {
        return undefined;
      }
      throw error;
    }
  }

  #run(args: readonly string[], script?: string): Promise<string> {
    const { namespace } = this.#options;
    return nft({
      arguments: args,
      ...(namespace === undefined ? {} : { namespace }),
      ...(script === undefined ? {} : { script }),
    });
  }
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 40);
}
