/**
 * What depends on how packets of a host look. In a tunnel mode a host's own packets to remote pods leave with its
 * tunnel address, an address of pods; in plain routing with the host's own. kube-proxy's --cluster-cidr, network
 * policies and firewalls tell by that. None of these can be seen from here.
 */

import type { TrapKind } from "../types.ts";

export const kubeProxy: TrapKind = {
  code: "HOST_SOURCE_CHANGES",
  meaning:
    "Kubernetes runs here and the change is to or from plain routing: packets of hosts to pods of other nodes get another source address (the tunnel's, of the pool, or the host's own), and the fabric begins or ceases to see pods' addresses. What tells packets by that is not visible to Switchyard.",
  remedy:
    "Check that kube-proxy's --cluster-cidr covers the pool, that network policies which let hosts in name the hosts' addresses, and that firewalls between nodes let pods' addresses pass.",
  find: ({ pool, to, from, nodes }) => {
    if (!pool || !to || !from || (to === "none") === (from === "None")) return [];
    const kubernetes = nodes.some(({ node }) =>
      node.spec.orchRefs?.some(({ orchestrator }) => orchestrator === "k8s"),
    );
    if (!kubernetes) return [];
    const source = to === "none" ? "their own address" : "their tunnel's address";
    const seen = to === "none" ? "sees" : "no longer sees";
    const nat = pool.spec.natOutgoing
      ? ""
      : "; natOutgoing is off, so pods' addresses leave the cluster as well";
    const message = `hosts would send to remote pods from ${source}, and the fabric ${seen} addresses of ${pool.spec.cidr}: kube-proxy's --cluster-cidr, policies and firewalls that go by these are not known here${nat}`;
    return [{ severity: "warn", message, nodes: [] }];
  },
};
