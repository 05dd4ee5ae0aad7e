/** A fault in words. Pure. */

import type { FaultSpec } from "./spec.ts";

/** `drop-ipip from node1 to node3`. */
export function describeFault(spec: FaultSpec): string {
  return [spec.kind, ...measure(spec), where(spec)].join(" ");
}

function measure(spec: FaultSpec): string[] {
  switch (spec.kind) {
    case "loss":
      return [`of ${spec.percent} %${spec.traffic === undefined ? "" : ` of ${spec.traffic}`}`];
    case "delay":
      return [`of ${spec.delayMs} ms${spec.traffic === undefined ? "" : ` of ${spec.traffic}`}`];
    case "small-mtu":
      return [`of ${spec.mtu} bytes`];
    case "stateful-filter":
      return spec.traffic === undefined ? [] : [`of ${spec.traffic}`];
    default:
      return [];
  }
}

function where(spec: FaultSpec): string {
  if (spec.kind === "strict-rp-filter") {
    return spec.node === undefined ? "on every node" : `on ${spec.node}`;
  }
  if (spec.kind === "stateful-filter") {
    return `from ${spec.between[0]} to ${spec.between[1]}`;
  }
  const { between, node, router, oneWay } = spec;
  if (between && oneWay) return `from ${between[0]} to ${between[1]}`;
  if (between) return `between ${between[0]} and ${between[1]}`;
  if (node !== undefined) return oneWay ? `for what ${node} sends` : `on the link of ${node}`;
  return router ? "at the router" : "everywhere";
}
