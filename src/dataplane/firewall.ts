/**
 * Keeps our nftables table as planned. What was applied is remembered in the kernel itself: a chain
 * `marker` holds a digest of what was wanted and one of what `nft list` printed after it. Both must still
 * match, else the table is written again; so a restart changes nothing and a hand in the table is noticed.
 */

import { createHash } from "node:crypto";
import { type Clock, errorText, type Family, hasCode } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import {
  type FirewallInput,
  type FirewallRules,
  familyWord,
  firewallRules,
  firewallTable,
  replaceScript,
  updateScript,
} from "./firewall-render.ts";
import { nft, type RunNft } from "./nft.ts";

export interface FirewallOptions {
  /** The `nft` program unless told. */
  readonly run?: RunNft;
  readonly namespace?: string;
  readonly family: Family;
  readonly clock: Clock;
  readonly log: Log;
  /** An unchanged table is looked at again after this time only: each look costs a process. */
  readonly checkMs: number;
}

export interface FirewallState {
  /** `differs`: another hand, or another plan, wrote it. */
  readonly table: "planned" | "differs" | "missing";
  readonly rules: FirewallRules;
  /** What each named set holds. */
  readonly elements: ReadonlyMap<string, readonly string[]>;
}

const NO_TABLE = "no table";
const MARKER = /\n*\tchain marker \{\n(?:\t\treturn comment "([0-9a-f]+) ([0-9a-f]+)"\n)?\t\}/;

export class Firewall {
  readonly #options: FirewallOptions;
  /** Digest of what was last found or put in place. */
  #wanted: string | undefined;
  #checkedMs = Number.NEGATIVE_INFINITY;

  constructor(options: FirewallOptions) {
    this.#options = options;
  }

  /** `ip switchyard`, as nft names it. */
  get #table(): string {
    return `${familyWord(this.#options.family)} ${firewallTable}`;
  }

  /** Makes the table hold `input`, or not be there. True if it had to be changed. @throws what nft says. */
  async ensure(input: Omit<FirewallInput, "family"> | undefined): Promise<boolean> {
    const rules = input && firewallRules({ ...input, family: this.#options.family });
    const wanted = rules ? digestOf(rules) : NO_TABLE;
    const { clock, checkMs } = this.#options;
    const fresh = clock.monotonicMs() - this.#checkedMs < checkMs;
    if (wanted === this.#wanted && fresh) return false;
    this.#wanted = undefined;
    const listing = await this.#list();
    const changed = rules ? !holds(listing, wanted) : listing !== undefined;
    if (changed && rules) await this.#write(rules, wanted, listing ?? "");
    else if (changed) await this.#run(["delete", "table", ...this.#table.split(" ")]);
    this.#wanted = wanted;
    this.#checkedMs = clock.monotonicMs();
    return changed;
  }

  /** Somebody was in the table: the next {@link ensure} looks at it. */
  suspect(): void {
    this.#checkedMs = Number.NEGATIVE_INFINITY;
  }

  /** What the kernel holds, without changing it. @throws what nft says. */
  async inspect(input: Omit<FirewallInput, "family">): Promise<FirewallState> {
    const rules = firewallRules({ ...input, family: this.#options.family });
    const listing = await this.#list();
    const elements = heldElements(listing ?? "");
    if (listing === undefined) return { table: "missing", rules, elements };
    return { table: holds(listing, digestOf(rules)) ? "planned" : "differs", rules, elements };
  }

  async #write(rules: FirewallRules, wanted: string, before: string): Promise<void> {
    try {
      await this.#run(["-f", "-"], updateScript(rules, heldElements(before)));
    } catch (error) {
      if (!hasCode(error, "COMMAND_FAILED") || before === "") throw error;
      this.#options.log.warn(
        { table: this.#table, reason: errorText(error) },
        "firewall table cannot be changed in place and is made anew",
      );
      await this.#run(["-f", "-"], replaceScript(rules));
    }
    const comment = `${wanted} ${digest(unmarked((await this.#list()) ?? ""))}`;
    const rule = `add rule ${this.#table} marker return comment "${comment}"\n`;
    await this.#run(["-f", "-"], `add chain ${this.#table} marker\n${rule}`);
  }

  /** Our table without counters, or undefined if there is none. */
  async #list(): Promise<string | undefined> {
    try {
      return await this.#run(["-s", "list", "table", ...this.#table.split(" ")]);
    } catch (error) {
      if (hasCode(error, "COMMAND_FAILED") && error.message.includes("No such file or directory")) {
        return undefined;
      }
      throw error;
    }
  }

  /** True if there is a table of ours. @throws what nft says. */
  async exists(): Promise<boolean> {
    return (await this.#list()) !== undefined;
  }

  #run(args: readonly string[], script?: string): Promise<string> {
    const { namespace } = this.#options;
    const { run = nft } = this.#options;
    return run({
      arguments: args,
      ...(namespace === undefined ? {} : { namespace }),
      ...(script === undefined ? {} : { script }),
    });
  }
}

function digestOf({ sets, chains }: FirewallRules): string {
  return digest(JSON.stringify([[...sets], chains]));
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 40);
}

function holds(listing: string | undefined, wanted: string): boolean {
  const marker = listing === undefined ? null : MARKER.exec(listing);
  if (listing === undefined || marker === null) return false;
  return marker[1] === wanted && marker[2] === digest(unmarked(listing));
}

function unmarked(listing: string): string {
  return listing.replace(MARKER, "");
}

/** The elements of each named set, as `nft list table` prints them. */
function heldElements(listing: string): Map<string, readonly string[]> {
  const sets = new Map<string, readonly string[]>();
  for (const [, name, body] of listing.matchAll(/^\tset (\S+) \{\n([^}]*)\}/gm)) {
    const elements = /elements = \{([^}]*)$/.exec(body!)?.[1] ?? "";
    const list = elements.split(",").map((element) => element.trim());
    sets.set(
      name!,
      list.filter((element) => element !== ""),
    );
  }
  return sets;
}
