/** In which namespace a command means a resource, from the resource's own and the flags. */

import { SwitchyardError } from "../../lib/index.ts";
import { kindTable } from "../../model/index.ts";
import type { Target } from "./target.ts";

export interface NamespaceFlags {
  /** `--namespace`. */
  readonly namespace?: string | undefined;
  /** `--all-namespaces`. */
  readonly allNamespaces?: boolean | undefined;
}

function refuse(message: string): never {
  throw new SwitchyardError("INVALID_ARGUMENT", message);
}

/** The namespace; `undefined` for a cluster-wide kind, and for all namespaces. */
export function resolveNamespace(target: Target, flags: NamespaceFlags): string | undefined {
  const { kind } = target;
  const own = target.namespace || undefined;
  const given = flags.namespace || undefined;
  if (!kindTable[kind].namespaced) {
    if (own) {
      refuse(
        `namespace should not be specified for a non-namespaced resource. ${kind} is not a namespaced resource`,
      );
    }
    if (given || flags.allNamespaces) refuse(`${kind} is not namespaced`);
    return undefined;
  }
  if (given && flags.allNamespaces) {
    refuse("cannot use both --namespace and --all-namespaces flags at the same time");
  }
  if (flags.allNamespaces) return undefined;
  if (own && given && own !== given) {
    refuse(`resource namespace does not match client namespace. ${own} != ${given}`);
  }
  return own ?? given ?? "default";
}
