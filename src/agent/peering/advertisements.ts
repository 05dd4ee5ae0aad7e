/** `prefixAdvertisements` of BGPConfiguration: communities that routes inside a CIDR are given on their way out. */

import type { PolicyRule } from "../../bgp/index.ts";
import {
  errorText,
  type Family,
  maskPrefix,
  parsePrefixOrAddress,
  prefixFamily,
} from "../../lib/index.ts";
import type { BGPConfiguration } from "../../model/index.ts";
import { communitiesOf } from "./filter-rules.ts";

/** A node's own ones take the place of all that hold for everybody, family by family. */
export function advertisementRules(
  configurations: readonly BGPConfiguration[],
  place: { readonly node: string; readonly family: Family; readonly problems: string[] },
): PolicyRule[] {
  const named = (name: string) => configurations.find(({ metadata }) => metadata.name === name);
  const own = rulesOf(named(`node.${place.node}`), place);
  return own.length > 0 ? own : rulesOf(named("default"), place);
}

function rulesOf(
  configuration: BGPConfiguration | undefined,
  { family, problems }: { readonly family: Family; readonly problems: string[] },
): PolicyRule[] {
  const { communities = [], prefixAdvertisements = [] } = configuration?.spec ?? {};
  const values = new Map(communities.map(({ name, value }) => [name, value]));
  return prefixAdvertisements.flatMap(({ cidr = "", communities: used = [] }): PolicyRule[] => {
    const prefix = parsePrefixOrAddress(cidr);
    if (!prefix || prefixFamily(prefix) !== family) return [];
    const set: { communities: number[]; largeCommunities: LargeCommunities } = {
      communities: [],
      largeCommunities: [],
    };
    for (const text of used) {
      try {
        const one = communitiesOf([values.get(text) ?? text]);
        set.communities.push(...(one.communities ?? []));
        set.largeCommunities.push(...(one.largeCommunities ?? []));
      } catch (error) {
        // As with Calico, a name that nobody explains is left out.
        problems.push(`BGPConfiguration: prefixAdvertisements ${cidr}: ${errorText(error)}`);
      }
    }
    return [
      {
        prefixes: [{ prefix: maskPrefix(prefix) }],
        action: "continue",
        set: {
          communities: { add: set.communities },
          largeCommunities: { add: set.largeCommunities },
        },
      },
    ];
  });
}

type LargeCommunities = NonNullable<PolicyRule["largeCommunities"]>[number][];
