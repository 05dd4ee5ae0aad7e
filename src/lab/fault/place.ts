/** From a fault's place to ports of the router: which packets it is about. Pure. */

import { SwitchyardError } from "../../lib/index.ts";
import type { Topology } from "../topology.ts";
import type { FaultSpec } from "./spec.ts";

/** Names of devices in the router's namespace, each leading to one member; any: the router itself, too. */
export type Ports = readonly string[] | "any";

/** Packets that come in by one of the first ports and leave by one of the second. */
export interface Edge {
  readonly from: Ports;
  readonly to: Ports;
}

const outside = "outside";

/** All ports: the nodes' and that of `outside`. A port's number is its index here, counted from one. */
export function portsOf(topology: Topology): readonly string[] {
  return [...topology.nodes.map(({ name }) => name), outside];
}

type Placed = Extract<FaultSpec, { readonly oneWay?: unknown }>;

/** @throws INVALID_ARGUMENT. */
export function edgesOf(spec: Placed, topology: Topology): readonly Edge[] {
  const { between, node, router, oneWay } = spec;
  if ([between, node, router].filter((place) => place !== undefined).length > 1) {
    throw invalid("a fault has one place: between two members, on a node's link, or at the router");
  }
  if (between) {
    const [from, to] = between.map((member) => portsOfMember(member, topology)) as [Ports, Ports];
    return oneWay
      ? [{ from, to }]
      : [
          { from, to },
          { from: to, to: from },
        ];
  }
  if (node !== undefined) {
    const own = [nodeNamed(node, topology)];
    const sent: Edge = { from: own, to: "any" };
    return oneWay ? [sent] : [sent, { from: "any", to: own }];
  }
  if (oneWay)
    throw invalid("a fault one way needs to know which: between two members, or of a node");
  if (router) {
    const segments = segmentsOf(topology);
    return segments.map((segment) => ({
      from: segment,
      to: segments.filter((other) => other !== segment).flat(),
    }));
  }
  return [{ from: portsOf(topology), to: "any" }];
}

function segmentsOf(topology: Topology): readonly (readonly string[])[] {
  const subnets = topology.subnets.map((subnet) =>
    topology.nodes.filter((node) => node.subnet === subnet).map(({ name }) => name),
  );
  return [...subnets.filter((nodes) => nodes.length > 0), [outside]];
}

function portsOfMember(member: string, topology: Topology): Ports {
  if (member === "all") return "any";
  if (member === outside) return [outside];
  const subnet = topology.subnets.find(({ bridge }) => bridge === member);
  if (subnet) {
    return topology.nodes.filter((node) => node.subnet === subnet).map(({ name }) => name);
  }
  if (topology.nodes.some(({ name }) => name === member)) return [member];
  const known = topology.nodes.map(({ name }) => name);
  const bridges = topology.subnets.map(({ bridge }) => bridge);
  throw invalid(
    `the lab has no ${JSON.stringify(member)}; it has ${[...known, ...bridges, outside, "all"].join(", ")}`,
  );
}

/** @throws INVALID_ARGUMENT. */
export function nodeNamed(name: string, topology: Topology): string {
  const known = topology.nodes.map((node) => node.name);
  if (known.includes(name)) return name;
  throw invalid(`the lab has no node ${JSON.stringify(name)}; it has ${known.join(", ")}`);
}

/** @throws INVALID_ARGUMENT. */
export function bridgeNamed(name: string, topology: Topology): string {
  const known = topology.subnets.map(({ bridge }) => bridge);
  if (known.includes(name)) return name;
  throw invalid(
    `a stateful filter stands between two subnets, of ${known.join(", ")}; not ${JSON.stringify(name)}`,
  );
}

function invalid(message: string): SwitchyardError {
  return new SwitchyardError("INVALID_ARGUMENT", message);
}
