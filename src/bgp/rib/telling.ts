/** What peers of one kind are told of a route, and what a peer's policy makes of that. */

import type { IpAddress } from "../../lib/index.ts";
import { changeAttributes } from "../policy/index.ts";
import type { RouteChanges, RouteSource } from "../types.ts";
import type { PathAttributes } from "../wire/index.ts";
import type { OutgoingAttributes } from "./export-target.ts";

/** A route as the peer would be told of it, before and after policy. One object for routes that are alike. */
export interface Telling {
  readonly attributes: PathAttributes;
  readonly learnedNextHop: IpAddress | undefined;
  readonly device: string | undefined;
  /** What policies make of it, for as long as there is the policy. */
  variants: WeakMap<RouteChanges, Telling> | undefined;
  readonly source: RouteSource;
  /** Encoded for an IPv4 route, for an IPv6 route; `null`: it cannot be told, `undefined`: not made yet. */
  outgoing4: OutgoingAttributes | null | undefined;
  outgoing6: OutgoingAttributes | null | undefined;
}

/** What came of a route for the group that was first to ask, kept with it: most routes are told to one. */
export interface Told {
  readonly route: object;
  readonly group: object;
  /** `null`: it is not told, whatever the policy. */
  readonly telling: Telling | null;
}

type TellingParts = Pick<Telling, "attributes" | "learnedNextHop" | "device" | "source">;

export function makeTelling(parts: TellingParts): Telling {
  return { ...parts, variants: undefined, outgoing4: undefined, outgoing6: undefined };
}

export function changeTelling(telling: Telling, changes: RouteChanges): Telling {
  telling.variants ??= new WeakMap();
  let variant = telling.variants.get(changes);
  if (variant === undefined) {
    const attributes = changeAttributes(telling.attributes, changes);
    const { learnedNextHop, device, source } = telling;
    const changed = attributes !== telling.attributes;
    variant = changed ? makeTelling({ attributes, learnedNextHop, device, source }) : telling;
    telling.variants.set(changes, variant);
  }
  return variant;
}
