/**
 * From resources to the speaker's configuration: the node-to-node mesh and the BGPPeers, as
 * Calico's confd makes them for BIRD.
 */

import type { SpeakerConfig } from "../../bgp/index.ts";
import { type ClusterView, effectiveSpec, nodeAddresses } from "../../facts/index.ts";
import {
  type Family,
  type Ipv4,
  isIpv4,
  maskPrefix,
  type Prefix,
  parseAddress,
  parsePrefix,
} from "../../lib/index.ts";
import { type MeshOrders, meshOrders } from "../../mode/index.ts";
import type { IPPool, Node, SpecOf } from "../../model/index.ts";
import type { BlockFacts, HostRoute, WorkloadFacts } from "../../plan/index.ts";
import { advertisementRules } from "./advertisements.ts";
import { addBgpPeers } from "./bgp-peers.ts";
import { ExportPolicies } from "./export-policy.ts";
import { Filters } from "./filters.ts";
import { asOf, DEFAULT_AS, listenPort, type Peerings } from "./local.ts";
import { misplacedFields } from "./misplaced-fields.ts";
import { meshPeers } from "./node-peers.ts";
import { ownPrefixes } from "./own-prefixes.ts";
import { PeerBook, type PeeringType } from "./peer-book.ts";
import { type SecretReader, sessionOptions } from "./session-options.ts";

export interface BgpPlan {
  readonly config: SpeakerConfig;
  readonly types: ReadonlyMap<string, PeeringType>;
  readonly mesh: MeshPlan;
  /** What is learned of these is for others: here a service proxy answers for them. */
  readonly unprogrammed: readonly Prefix[];
  /** It depends on `hostRoutes`: BGPFilters name interfaces. */
  readonly usesHostRoutes: boolean;
  /** BGPPeers that could not be used, and why. */
  readonly problems: readonly string[];
}

export interface MeshPlan extends Omit<MeshOrders, "sharedWith" | "added"> {
  /** Nodes that take no sessions of the mesh yet, and so are not dialled. */
  readonly closed: readonly string[];
}

/** Of routes, as Calico's BIRD writes it into the kernel. */
const DEFAULT_PRIORITY = 1024;
/** BIRD's own, which Calico leaves as it is. */
const DEFAULT_RESTART_SECONDS = 120;

export interface BgpPlanInput {
  readonly view: ClusterView;
  /** Name of the local node. */
  readonly node: string;
  readonly blocks: readonly BlockFacts[];
  /** Of the local node. */
  readonly workloads: readonly WorkloadFacts[];
  /** All addresses that services may have. */
  readonly serviceCidrs: readonly Prefix[];
  /** Of the host, not ours; `undefined` while they have not been read. */
  readonly hostRoutes?: readonly HostRoute[] | undefined;
  /** A router id from the node's name, for a node without an IPv4 address. */
  readonly hashedRouterId: (node: string) => Ipv4;
  readonly secret: SecretReader;
}

/** `undefined` while the node has no BGP address: nothing to speak with. */
export function bgpPlan(input: BgpPlanInput): BgpPlan | undefined {
  const { view, node: name, serviceCidrs } = input;
  const node = view.nodes.find((candidate) => candidate.metadata.name === name);
  if (!node) return undefined;
  const { ipv4, ipv6 } = nodeAddresses(node);
  const addresses = [ipv4, ipv6].flatMap((prefix) => (prefix ? [prefix.address] : []));
  if (addresses.length === 0) return undefined;
  const problems: string[] = [];
  const globals = effectiveSpec(view.bgpConfigurations, "");
  const globalAs = Number(globals.asNumber || DEFAULT_AS);
  const filters = new Filters({ filters: view.bgpFilters, hostRoutes: input.hostRoutes, problems });
  const local = {
    node,
    addresses,
    as: asOf(node, globalAs),
    exports: exportPolicies(input, { node, globals, problems }),
  };
  const context: Peerings = { view, local, globalAs, problems };
  const book = new PeerBook(addresses, problems);
  problems.push(...misplacedFields(view.bgpConfigurations, name));
  addBgpPeers(book, { ...context, filters, secret: input.secret });
  const { sharedWith, added, ...mesh } = meshOrders({ ...view, node: name });
  const closed = added ? closedNodes(view) : noNodes;
  const undialled = mesh.open
    ? addMeshPeers(book, { ...context, globals, sharedWith, closed, secret: input.secret })
    : [];
  const reflector = parseAddress(node.spec.bgp?.routeReflectorClusterID ?? "");
  const clusterId = reflector !== undefined && isIpv4(reflector) ? reflector : undefined;
  if (filters.usesInterfaces && input.hostRoutes === undefined) {
    problems.push("BGPFilters name interfaces, and the host's routes have not been read yet");
  }
  return {
    config: {
      localAs: local.as,
      routerId: ipv4?.address ?? input.hashedRouterId(name),
      ...(clusterId && { clusterId }),
      listen: [
        {
          port: listenPort(view, name),
          ...(globals.bindMode === "NodeIP" && { addresses }),
        },
      ],
      gracefulRestart: { restartTimeSeconds: DEFAULT_RESTART_SECONDS },
      // As BIRD merges paths for Calico's kernel: 16 at most, whatever stands in their AS paths.
      multipath: { maximumPaths: 16, relaxAsPath: true },
      peers: book.peers,
      originate: ownPrefixes(input),
    },
    types: book.types,
    unprogrammed: serviceCidrs,
    mesh: { ...mesh, closed: [...new Set(undialled)] },
    usesHostRoutes: filters.usesInterfaces,
    problems,
  };
}

/** The nodes that are not dialled yet. */
function addMeshPeers(
  book: PeerBook,
  options: Peerings & {
    readonly globals: Partial<SpecOf<"BGPConfiguration">>;
    readonly sharedWith: MeshOrders["sharedWith"];
    readonly closed: ReadonlySet<string>;
    readonly secret: SecretReader;
  },
): string[] {
  const { globals, sharedWith, closed, secret, problems } = options;
  const { nodeMeshPassword: password, nodeMeshMaxRestartTime: maxRestartTime } = globals;
  const session = sessionOptions(
    { ...(password && { password }), ...(maxRestartTime && { maxRestartTime }) },
    { object: "BGPConfiguration", secret, problems },
  );
  const undialled: string[] = [];
  for (const { other, configs } of meshPeers(options)) {
    if (!sharedWith(other)) continue;
    for (const config of configs) {
      if (config.passive || !closed.has(other)) {
        book.add({ ...config, ...session }, "node-to-node mesh");
      } else undialled.push(other);
    }
  }
  return undialled;
}

function exportPolicies(
  { view, node: name, serviceCidrs }: BgpPlanInput,
  context: {
    readonly node: Node;
    readonly globals: Partial<SpecOf<"BGPConfiguration">>;
    readonly problems: string[];
  },
): ExportPolicies {
  const { node, globals, problems } = context;
  const isHidden = ({ spec }: IPPool) => spec.disableBGPExport === true;
  const rules = (family: Family) =>
    advertisementRules(view.bgpConfigurations, { node: name, family, problems });
  return new ExportPolicies({
    exported: view.pools.filter((pool) => !isHidden(pool)).flatMap(poolPrefix),
    hidden: view.pools.filter(isHidden).flatMap(poolPrefix),
    // A reflector hands on what its clients tell of services.
    services: node.spec.bgp?.routeReflectorClusterID ? serviceCidrs : [],
    advertisements: { 4: rules(4), 6: rules(6) },
    priority: {
      4: globals.ipv4NormalRoutePriority ?? DEFAULT_PRIORITY,
      6: globals.ipv6NormalRoutePriority ?? DEFAULT_PRIORITY,
    },
  });
}

const noNodes: ReadonlySet<string> = new Set();

/** With an agent of ours that does not take sessions of the mesh: one that dialled them would be sent away. */
function closedNodes({ nodeModes }: ClusterView): ReadonlySet<string> {
  const closed = nodeModes.filter(({ status }) => status && !status.mesh?.open);
  return new Set(closed.map(({ metadata }) => metadata.name));
}

function poolPrefix(pool: { readonly spec: { readonly cidr: string } }): Prefix[] {
  const prefix = parsePrefix(pool.spec.cidr);
  return prefix ? [maskPrefix(prefix)] : [];
}
