/** Attaches the lab's pods as a container runtime would: address from IPAM, veth, WorkloadEndpoint. */

import { createHash } from "node:crypto";
import { attachWorkload, workloadDeviceName } from "../dataplane/index.ts";
import type { Datastore } from "../datastore/index.ts";
import { Ipam } from "../ipam/index.ts";
import {
  type Clock,
  type Family,
  formatAddress,
  formatPrefix,
  hasCode,
  hostPrefix,
  ipAddress,
  SwitchyardError,
} from "../lib/index.ts";
import { namespacePath } from "../lib/sys/index.ts";
import { type WorkloadEndpoint, workloadEndpointName } from "../model/index.ts";
import { type LabPaths, namespaceName, nodeDirectory } from "./paths.ts";
import { podMtuOptions } from "./pod-mtu.ts";
import type { RecordHolder } from "./record-holder.ts";
import type { PodRecord } from "./state-file.ts";
import type { LabPod, Topology } from "./topology.ts";

/** The Kubernetes namespace of the lab's pods. */
const podNamespace = "default";
const podDevice = "eth0";

export interface PodsContext {
  readonly paths: LabPaths;
  readonly topology: Topology;
  readonly holder: RecordHolder;
  readonly store: Datastore;
  readonly clock: Clock;
}

export async function ensurePods(context: PodsContext): Promise<void> {
  const { holder, paths } = context;
  for (const pod of context.topology.pods) {
    const record = context.holder.record.pods[pod.name] ?? (await assignAddress(context, pod));
    const { mac } = await attachWorkload({
      hostNamespace: namespacePath(namespaceName(context.paths, pod.node)),
      podNamespace: namespacePath(namespaceName(context.paths, pod.name)),
      hostDevice: record.interfaceName,
      podDevice,
      addresses: addressesOf(record).map(ipAddress),
      ...podMtuOptions({
        mode: holder.record.podMtu ?? "fixed",
        nodeDirectory: nodeDirectory(paths, pod.node),
        dualStack: context.topology.dualStack,
      }),
    });
    await publish(context.store, endpointOf(pod, record, mac));
  }
}

async function assignAddress(context: PodsContext, pod: LabPod): Promise<PodRecord> {
  const { clock, store, holder } = context;
  const ipam = new Ipam({ store, clock });
  // The same each time, so that what a killed `up` was given can be found and given back.
  const containerId = createHash("sha256").update(`lab ${pod.name}`).digest("hex");
  const handle = `k8s-pod-network.${containerId}`;
  await releaseLeftover(ipam, handle);
  const request = {
    count: 1,
    handle,
    attributes: {
      node: pod.node,
      pod: pod.name,
      namespace: podNamespace,
      timestamp: new Date(clock.now()).toUTCString(),
    },
    node: pod.node,
    use: "Workload",
  } as const;
  const assign = async (family: Family): Promise<string> => {
    const { addresses, messages } = await ipam.autoAssign({ ...request, family });
    const [address] = addresses;
    if (address !== undefined) return formatAddress(address);
    throw new SwitchyardError(
      "IPAM_EXHAUSTED",
      `no IPv${family} address for ${pod.name} on ${pod.node}: ${messages.join("; ")}`,
    );
  };
  const record: PodRecord = {
    node: pod.node,
    address: await assign(4),
    ...(context.topology.dualStack && { address6: await assign(6) }),
    containerId,
    interfaceName: workloadDeviceName(podNamespace, pod.name),
  };
  holder.setPod(pod.name, record);
  return record;
}

function addressesOf({ address, address6 }: PodRecord): string[] {
  return address6 === undefined ? [address] : [address, address6];
}

async function releaseLeftover(ipam: Ipam, handle: string): Promise<void> {
  try {
    await ipam.releaseByHandle(handle);
  } catch (error) {
    if (!hasCode(error, "RESOURCE_NOT_FOUND")) throw error;
  }
}

export function endpointOf(pod: LabPod, record: PodRecord, mac: string): WorkloadEndpoint {
  const identifiers = {
    node: pod.node,
    orchestrator: "k8s",
    pod: pod.name,
    endpoint: podDevice,
  };
  return {
    apiVersion: "projectcalico.org/v3",
    kind: "WorkloadEndpoint",
    metadata: { name: workloadEndpointName(identifiers), namespace: podNamespace },
    spec: {
      ...identifiers,
      containerID: record.containerId,
      ipNetworks: addressesOf(record).map((text) => formatPrefix(hostPrefix(ipAddress(text)))),
      interfaceName: record.interfaceName,
      mac,
      profiles: [`kns.${podNamespace}`],
    },
  };
}

/** Writes it only when it says something else than what is stored. */
async function publish(store: Datastore, endpoint: WorkloadEndpoint): Promise<void> {
  const { name } = endpoint.metadata;
  try {
    const stored = await store.get("WorkloadEndpoint", name, { namespace: podNamespace });
    const same = (["interfaceName", "mac", "containerID"] as const).every(
      (field) => stored.spec[field] === endpoint.spec[field],
    );
    if (same && stored.spec.ipNetworks?.join() === endpoint.spec.ipNetworks?.join()) return;
    await store.update<"WorkloadEndpoint">({ ...endpoint, metadata: stored.metadata });
  } catch (error) {
    if (!hasCode(error, "RESOURCE_NOT_FOUND")) throw error;
    await store.create<"WorkloadEndpoint">(endpoint);
  }
}
