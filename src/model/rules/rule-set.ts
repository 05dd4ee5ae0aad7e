/** What the rules of one kind are made of, in the order in which Calico's client applies them. */

import type { FieldError } from "../errors.ts";
import type { Kind } from "../kinds/index.ts";
import type { ResourceOf } from "../resource.ts";

export interface ClientInput<K extends Kind> {
  readonly resource: ResourceOf<K>;
  readonly operation: "create" | "update";
  /** The stored object, on update. */
  readonly existing: ResourceOf<K> | undefined;
  /** Every stored pool, on creation of a pool. */
  readonly pools: readonly ResourceOf<"IPPool">[];
  /** Names of every stored BGPFilter, for a BGPPeer, where they are known. */
  readonly filters: readonly string[] | undefined;
}

export interface RuleSet<K extends Kind> {
  /** Checks and defaults of the kind's own client; an error here hides all later ones. */
  client?(input: ClientInput<K>): ResourceOf<K>;
  /** Tags and struct rules of the validator. */
  validate?(resource: ResourceOf<K>): readonly FieldError[];
  /** Defaults of the schema; applied after `validate`, before `schema`. */
  defaults?(resource: ResourceOf<K>): ResourceOf<K>;
  /** Bounds and cross-field rules of the schema, named by JSON path. */
  schema?(resource: ResourceOf<K>): readonly FieldError[];
  /** What happens to a valid object last. */
  finish?(resource: ResourceOf<K>): ResourceOf<K>;
}
