/**
 * WorkloadEndpoint names: the endpoint's identifiers joined by `-`, their own dashes doubled. What
 * identifies an endpoint depends on its orchestrator.
 */

import { SwitchyardError } from "../lib/index.ts";
import { validationError } from "./errors.ts";

export interface WorkloadEndpointIdentifiers {
  readonly node?: string | undefined;
  readonly orchestrator?: string | undefined;
  readonly pod?: string | undefined;
  readonly containerID?: string | undefined;
  readonly workload?: string | undefined;
  readonly endpoint?: string | undefined;
}

type Field = keyof WorkloadEndpointIdentifiers;
type Segment = { readonly field: Field } | { readonly literal: string };

function segmentsFor(orchestrator: string): readonly Segment[] {
  const head: Segment[] = [{ field: "node" }, { field: "orchestrator" }];
  const tail: Segment = { field: "endpoint" };
  switch (orchestrator) {
    case "k8s":
      return [...head, { field: "pod" }, tail];
    case "cni":
      return [...head, { field: "containerID" }, tail];
    case "libnetwork":
      return [...head, { literal: "libnetwork" }, tail];
    default:
      return [...head, { field: "workload" }, tail];
  }
}

function escaped(field: Field, value: string): string {
  const refuse = (reason: string) => validationError([{ name: field, value, reason }]);
  if (value.startsWith("-")) throw refuse("field must not begin with a '-'");
  if (value.endsWith("-")) throw refuse("field must not end with a '-'");
  return value.replaceAll("-", "--");
}

/** @throws RESOURCE_INVALID naming the identifier that is missing or cannot be in a name. */
export function workloadEndpointName(identifiers: WorkloadEndpointIdentifiers): string {
  const parts = segmentsFor(identifiers.orchestrator ?? "").map((segment) => {
    if ("literal" in segment) return segment.literal;
    const value = identifiers[segment.field];
    if (!value) {
      throw validationError([{ name: segment.field, reason: "field should be assigned" }]);
    }
    return escaped(segment.field, value);
  });
  return parts.join("-");
}

/** What every name of endpoints with these identifiers begins with; `node` is required. */
export function workloadEndpointNamePrefix(identifiers: WorkloadEndpointIdentifiers): string {
  if (!identifiers.node) {
    throw validationError([{ name: "node", reason: "field should be assigned" }]);
  }
  let prefix = "";
  for (const segment of segmentsFor(identifiers.orchestrator ?? "")) {
    if ("literal" in segment) {
      prefix += `${segment.literal}-`;
      continue;
    }
    const value = identifiers[segment.field];
    if (!value) return prefix;
    prefix += `${escaped(segment.field, value)}-`;
  }
  return prefix.slice(0, -1);
}

/** Two dashes are one of the segment's own, a single one separates. */
function splitName(name: string): string[] {
  const parts: string[] = [];
  let part = "";
  for (let i = 0; i < name.length; i++) {
    if (name[i] === "-" && name[i + 1] !== "-") {
      parts.push(part);
      part = "";
      continue;
    }
    part += name[i];
    if (name[i] === "-") i++;
  }
  return [...parts, part];
}

/** The reverse of {@link workloadEndpointName}. @throws RESOURCE_INVALID. */
export function parseWorkloadEndpointName(name: string): WorkloadEndpointIdentifiers {
  if (name === "") throw new SwitchyardError("RESOURCE_INVALID", "Cannot parse empty string");
  const parts = splitName(name);
  const segments = segmentsFor(parts[1] ?? "");
  if (parts.length > segments.length) {
    throw new SwitchyardError(
      "RESOURCE_INVALID",
      `Error parsing ${name}, verify that WorkloadEndpoint name is correct`,
    );
  }
  const identifiers: { -readonly [F in Field]?: string } = {};
  for (const [index, segment] of segments.entries()) {
    const part = parts[index];
    if (part && "field" in segment) identifiers[segment.field] = part;
  }
  return identifiers;
}
