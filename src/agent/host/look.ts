/** Puts together what the agent knows, and reads of the host, for one NodeHost. */

import { clusterFacts } from "../../facts/index.ts";
import { formatPrefix, isHostPrefix, type Prefix } from "../../lib/index.ts";
import { addressesOf, type LearnedFacts } from "../../plan/index.ts";
import type { BgpSessions } from "../bgp-runner.ts";
import type { Cluster } from "../cluster.ts";
import type { PassResult } from "../reconciler.ts";
import type { HostLook } from "./publisher.ts";
import type { HostReading, ReadHostOptions } from "./reading.ts";

const WORKLOAD_DEVICES = "cali";

export interface LookOptions {
  readonly node: string;
  readonly version: string;
  readonly vxlanMac: (node: string) => string;
  readonly cluster: Pick<Cluster, "view" | "connected">;
  readonly bgp: {
    sessions(): BgpSessions | undefined;
    learnedAt(prefix: Prefix): readonly LearnedFacts[];
  };
  readonly last: () => PassResult | undefined;
  readonly read: (options: ReadHostOptions) => Promise<HostReading>;
}

export async function look(options: LookOptions): Promise<HostLook | undefined> {
  const { node, version, cluster, bgp, read, vxlanMac } = options;
  const last = options.last();
  const view = cluster.view();
  const own = view.nodes.find(({ metadata }) => metadata.name === node);
  if (!own || !cluster.connected) return undefined;
  const facts = clusterFacts(view, node, vxlanMac);
  const addresses = facts.nodes.filter(({ name }) => name === node).flatMap(addressesOf);
  const uplink = last?.kernel.host.uplink.name;
  const reading = await read({ uplink, workloadDevicePrefix: WORKLOAD_DEVICES });
  const held = reading.addresses.some(({ prefix }) => addresses.includes(prefix.address));
  // The first pass has not ended: nothing is known, and nothing is wrong.
  if (held && !last) return undefined;
  const silent = new Set(
    view.pools.flatMap(({ metadata, spec }) => (spec.disableBGPExport ? [metadata.name] : [])),
  );
  const missing = (last?.plan.destinations ?? []).flatMap(({ prefix, pool }) => {
    const told = isHostPrefix(prefix) || silent.has(pool) || bgp.learnedAt(prefix).length > 0;
    return told ? [] : [formatPrefix(prefix)];
  });
  return {
    owner: own.metadata.uid ?? "",
    input: {
      node,
      nodes: facts.nodes,
      reading,
      host: held ? last?.kernel.host : undefined,
      mtuIfacePattern: facts.settings.mtuIfacePattern,
      vxlan: { port: facts.settings.vxlanPort, vni: facts.settings.vxlanVni },
      ipipBackend: last?.actual.ipipBackend,
      workloadDevicePrefix: WORKLOAD_DEVICES,
      podMtus: last?.kernel.podMtus.values() ?? [],
      bgp: bgp.sessions(),
      missing,
      version,
    },
  };
}
