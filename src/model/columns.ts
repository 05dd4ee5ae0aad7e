/**
 * The columns in which each kind is shown, to the CLI's tables and to the server's (`kubectl get`).
 * A cell is text made from one resource; headings and texts are those operators know from calicoctl.
 */

import type { ExposedKind } from "./aliases.ts";
import type { EndpointSlice, ResourceOf } from "./resource.ts";

export interface CellContext {
  /** What a node without an AS number of its own uses, as text; `unknown` if it cannot be read. */
  readonly globalAsNumber: string;
}

export interface Column<K extends ExposedKind> {
  readonly heading: string;
  readonly cell: (resource: ResourceOf<K>, context: CellContext) => string;
}

export interface KindColumns<K extends ExposedKind> {
  readonly byDefault: readonly string[];
  readonly wide: readonly string[];
  /** Every column of the kind, the ones shown only on request included. */
  readonly all: readonly Column<K>[];
}

type Cell<K extends ExposedKind> = Column<K>["cell"];

function columns<K extends ExposedKind>(
  byDefault: string,
  wide: string,
  cells: Readonly<Record<string, Cell<K>>>,
): KindColumns<K> {
  return {
    byDefault: byDefault.split(" "),
    wide: wide.split(" "),
    all: Object.entries(cells).map(([heading, cell]) => ({ heading, cell })),
  };
}

/** As Go's templates print a pointer: its value, or `<nil>`. */
function pointer(value: unknown): string {
  return value === undefined || value === null ? "<nil>" : String(value);
}

function orDash(value: unknown): string {
  return value === undefined || value === null ? "-" : String(value);
}

function joined(values: readonly string[] | undefined): string {
  return (values ?? []).join(",");
}

function nameOf(resource: { readonly metadata: { readonly name: string } }): string {
  return resource.metadata.name;
}

function nodeAsNumber(resource: ResourceOf<"Node">, context: CellContext): string {
  const bgp = resource.spec.bgp;
  if (bgp === undefined) return "";
  return bgp.asNumber === undefined ? `(${context.globalAsNumber})` : String(bgp.asNumber);
}

/** `default-ipv4-ippool: IPIP Always`, with `*` where a destination still waits. */
function poolsOf(resource: ResourceOf<"NodeMode">): string {
  return Object.entries(resource.status?.pools ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, pool]) => `${name}=${pool.mode.replaceAll(" ", "")}${pool.realised ? "" : "*"}`)
    .join(",");
}

function movedOf(moved: "all" | readonly string[] | undefined): string {
  return moved === "all" ? "all" : String(moved?.length ?? 0);
}

const filterColumns = "NAME NUMEXPORTV4 NUMIMPORTV4 NUMEXPORTV6 NUMIMPORTV6";
const poolWide =
  "NAME CIDR NAT IPIPMODE VXLANMODE DISABLED DISABLEBGPEXPORT SELECTOR ASSIGNMENTMODE";
const workloadWide = "NAME WORKLOAD NODE NETWORKS INTERFACE PROFILES NATS";

export const kindColumns: { readonly [K in ExposedKind]: KindColumns<K> } = {
  BGPConfiguration: columns(
    "NAME LOGSEVERITY MESHENABLED ASNUMBER",
    "NAME LOGSEVERITY MESHENABLED ASNUMBER",
    {
      NAME: nameOf,
      LOGSEVERITY: ({ spec }) => spec.logSeverityScreen ?? "",
      MESHENABLED: ({ spec }) => orDash(spec.nodeToNodeMeshEnabled),
      ASNUMBER: ({ spec }) => orDash(spec.asNumber),
    },
  ),
  BGPFilter: columns(filterColumns, filterColumns, {
    NAME: nameOf,
    NUMEXPORTV4: ({ spec }) => String(spec.exportV4?.length ?? 0),
    NUMIMPORTV4: ({ spec }) => String(spec.importV4?.length ?? 0),
    NUMEXPORTV6: ({ spec }) => String(spec.exportV6?.length ?? 0),
    NUMIMPORTV6: ({ spec }) => String(spec.importV6?.length ?? 0),
  }),
  BGPPeer: columns("NAME PEERIP NODE ASN", "NAME PEERIP NODE ASN", {
    NAME: nameOf,
    PEERIP: ({ spec }) => spec.peerIP ?? "",
    NODE: ({ spec }) => spec.node || spec.nodeSelector || "(global)",
    ASN: ({ spec }) => String(spec.asNumber ?? 0),
  }),
  ClusterInformation: columns(
    "NAME CLUSTERGUID CLUSTERTYPE CALICOVERSION DATASTOREREADY",
    "NAME CLUSTERGUID CLUSTERTYPE CALICOVERSION DATASTOREREADY",
    {
      NAME: nameOf,
      CLUSTERGUID: ({ spec }) => spec.clusterGUID ?? "",
      CLUSTERTYPE: ({ spec }) => spec.clusterType ?? "",
      CALICOVERSION: ({ spec }) => spec.calicoVersion ?? "",
      DATASTOREREADY: ({ spec }) => pointer(spec.datastoreReady),
    },
  ),
  EndpointSlice: columns("NAME ADDRESSTYPE ENDPOINTS", "NAME ADDRESSTYPE ENDPOINTS", {
    NAME: nameOf,
    NAMESPACE: ({ metadata }) => metadata.namespace ?? "",
    ADDRESSTYPE: (slice) => (slice as EndpointSlice).addressType,
    ENDPOINTS: (slice) =>
      joined((slice as EndpointSlice).endpoints.flatMap(({ addresses }) => addresses)),
  }),
  FelixConfiguration: columns("NAME", "NAME", { NAME: nameOf }),
  IPAMConfiguration: columns(
    "NAME STRICTAFFINITY AUTOALLOCATEBLOCKS",
    "NAME STRICTAFFINITY AUTOALLOCATEBLOCKS MAXBLOCKSPERHOST",
    {
      NAME: nameOf,
      STRICTAFFINITY: ({ spec }) => String(spec.strictAffinity ?? false),
      AUTOALLOCATEBLOCKS: ({ spec }) => String(spec.autoAllocateBlocks ?? false),
      MAXBLOCKSPERHOST: ({ spec }) => String(spec.maxBlocksPerHost ?? 0),
    },
  ),
  IPPool: columns("NAME CIDR SELECTOR", poolWide, {
    NAME: nameOf,
    CIDR: ({ spec }) => spec.cidr,
    NAT: ({ spec }) => String(spec.natOutgoing ?? false),
    IPIPMODE: ({ spec }) => spec.ipipMode || "Never",
    VXLANMODE: ({ spec }) => spec.vxlanMode || "Never",
    DISABLED: ({ spec }) => String(spec.disabled ?? false),
    DISABLEBGPEXPORT: ({ spec }) => String(spec.disableBGPExport ?? false),
    SELECTOR: ({ spec }) => spec.nodeSelector ?? "",
    ASSIGNMENTMODE: ({ spec }) => spec.assignmentMode ?? "Automatic",
  }),
  Node: columns("NAME", "NAME ASN IPV4 IPV6", {
    NAME: nameOf,
    ASN: nodeAsNumber,
    IPV4: ({ spec }) => spec.bgp?.ipv4Address ?? "",
    IPV6: ({ spec }) => spec.bgp?.ipv6Address ?? "",
  }),
  ModeChange: columns("NAME POOL FROM TO PHASE", "NAME POOL FROM TO PHASE SINCE MOVED REASON", {
    NAME: nameOf,
    POOL: ({ spec }) => spec.pool ?? "(mesh)",
    FROM: ({ status }) => status?.from ?? "-",
    TO: ({ spec }) => spec.to ?? spec.mesh ?? "-",
    PHASE: ({ status }) => status?.phase ?? "-",
    SINCE: ({ status }) => status?.phaseSince ?? "-",
    MOVED: ({ status }) => movedOf(status?.orders?.moved),
    REASON: ({ status }) => status?.reason ?? "",
  }),
  ModeEvidence: columns("NAME READY PROVED RESULTS QUIET", "NAME READY PROVED RESULTS QUIET", {
    NAME: nameOf,
    READY: ({ status }) => String(status?.ready ?? false),
    PROVED: ({ status }) => status?.proved ?? "no",
    RESULTS: ({ status }) => String(status?.results.length ?? 0),
    QUIET: ({ status }) => orDash(status?.guard?.quiet),
  }),
  NodeHost: columns("NAME UPLINK MTU KERNEL", "NAME UPLINK MTU KERNEL DRIVER IPIP VXLAN", {
    NAME: nameOf,
    UPLINK: ({ status }) => status?.uplink?.name ?? "-",
    MTU: ({ status }) => orDash(status?.uplink?.mtu),
    KERNEL: ({ status }) => status?.kernel ?? "-",
    DRIVER: ({ status }) => status?.driver ?? "-",
    IPIP: ({ status }) => status?.tunnels.ipip ?? "-",
    VXLAN: ({ status }) => status?.tunnels.vxlan ?? "-",
  }),
  NodeMode: columns("NAME ACCEPTS SENDS IPIP POOLS", "NAME ACCEPTS SENDS IPIP POOLS FAILURES", {
    NAME: nameOf,
    ACCEPTS: ({ status }) => joined(status?.accepts),
    SENDS: ({ status }) => joined(status?.sends),
    IPIP: ({ status }) => status?.ipipBackend ?? "-",
    POOLS: poolsOf,
    FAILURES: ({ status }) => String(status?.failures.length ?? 0),
  }),
  Service: columns("NAME TYPE CLUSTER-IP EXTERNAL-IP", "NAME TYPE CLUSTER-IP EXTERNAL-IP POLICY", {
    NAME: nameOf,
    NAMESPACE: ({ metadata }) => metadata.namespace ?? "",
    TYPE: ({ spec }) => spec.type ?? "ClusterIP",
    "CLUSTER-IP": ({ spec }) => joined(spec.clusterIPs ?? [spec.clusterIP ?? ""]),
    "EXTERNAL-IP": ({ spec, status }) =>
      joined([
        ...(status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []),
        ...(spec.externalIPs ?? []),
      ]),
    POLICY: ({ spec }) => spec.externalTrafficPolicy || "Cluster",
  }),
  WorkloadEndpoint: columns("WORKLOAD NODE NETWORKS INTERFACE", workloadWide, {
    NAME: nameOf,
    NAMESPACE: ({ metadata }) => metadata.namespace ?? "",
    ORCHESTRATOR: ({ spec }) => spec.orchestrator ?? "",
    WORKLOAD: ({ spec }) => spec.workload || spec.pod || "",
    NODE: ({ spec }) => spec.node ?? "",
    NETWORKS: ({ spec }) => joined(spec.ipNetworks),
    INTERFACE: ({ spec }) => spec.interfaceName ?? "",
    PROFILES: ({ spec }) => joined(spec.profiles),
    NATS: ({ spec }) => joined(spec.ipNATs?.map((nat) => `{${nat.internalIP} ${nat.externalIP}}`)),
  }),
};

/** The column of that heading, `undefined` if the kind has none. */
export function findColumn<K extends ExposedKind>(kind: K, heading: string): Column<K> | undefined {
  const table: KindColumns<K> = kindColumns[kind];
  return table.all.find((column) => column.heading === heading);
}
