/** The filters that a BGPPeer names, as policies of its sessions. A bad one is told, and passed over. */

import { type PolicyRule, policyProblem } from "../../bgp/index.ts";
import { errorText, type Family } from "../../lib/index.ts";
import type { BGPFilter, BGPPeer } from "../../model/index.ts";
import type { HostRoute } from "../../plan/index.ts";
import { type Direction, type FilterContext, filterRule } from "./filter-rules.ts";
import { interfaceRegions } from "./interface-regions.ts";

export interface FilterPolicies {
  readonly imported: readonly PolicyRule[];
  readonly exported: readonly PolicyRule[];
}

export interface FiltersOptions {
  readonly filters: readonly BGPFilter[];
  /** `undefined` while they have not been read. */
  readonly hostRoutes: readonly HostRoute[] | undefined;
  readonly problems: string[];
}

const none: FilterPolicies = { imported: [], exported: [] };

/** Says each problem once, and gives the identical policies for the same filters. */
export class Filters {
  readonly #options: FiltersOptions;
  readonly #byName: ReadonlyMap<string, BGPFilter>;
  readonly #made = new Map<string, FilterPolicies>();
  #usesInterfaces = false;

  constructor(options: FiltersOptions) {
    this.#options = options;
    this.#byName = new Map(options.filters.map((filter) => [filter.metadata.name, filter]));
  }

  /** What is made depends on the host's routes. */
  get usesInterfaces(): boolean {
    return this.#usesInterfaces;
  }

  of({ metadata, spec }: BGPPeer, family: Family): FilterPolicies {
    const names = spec.filters ?? [];
    if (names.length === 0) return none;
    const key = JSON.stringify([family, metadata.name]);
    let made = this.#made.get(key);
    if (made === undefined) {
      made = this.#make(names, family, `BGPPeer ${metadata.name}`);
      this.#made.set(key, made);
    }
    return made;
  }

  #make(names: readonly string[], family: Family, object: string): FilterPolicies {
    const imported: PolicyRule[] = [];
    const exported: PolicyRule[] = [];
    for (const name of names) {
      const filter = this.#byName.get(name);
      try {
        if (!filter) throw new RangeError("there is no such BGPFilter");
        const from = this.#rules(filter, "import", family);
        exported.push(...this.#rules(filter, "export", family));
        imported.push(...from);
      } catch (error) {
        const problem = `${object}: filter ${name} is passed over: ${errorText(error)}`;
        // The sessions of another family say so already.
        if (!this.#options.problems.includes(problem)) this.#options.problems.push(problem);
      }
    }
    return { imported, exported };
  }

  /** @throws RangeError that names the rule */
  #rules({ spec }: BGPFilter, direction: Direction, family: Family): PolicyRule[] {
    const context: FilterContext = {
      direction,
      family,
      regions: (glob) => {
        this.#usesInterfaces = true;
        return interfaceRegions(this.#options.hostRoutes ?? [], glob, family);
      },
    };
    const field = `${direction}V${family}` as const;
    return (spec[field] ?? []).flatMap((rule, index) => {
      try {
        const made = filterRule(rule, context);
        const problem = policyProblem(made);
        if (problem !== undefined) throw new RangeError(problem);
        return made;
      } catch (error) {
        throw new RangeError(`${field}[${index}]: ${errorText(error)}`);
      }
    });
  }
}
