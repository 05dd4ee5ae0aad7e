/**
 * A pool that the Tigera operator writes: it puts back what its Installation says. It knows its pools by this label
 * (tigera/operator, pkg/controller/ippool/pool_controller.go).
 */

import type { TrapKind } from "../types.ts";

const LABEL = "app.kubernetes.io/managed-by";
const OPERATOR = "tigera-operator";

/** Its names of the modes (Installation, spec.calicoNetwork.ipPools[].encapsulation). */
const encapsulations = {
  ipip: "IPIP",
  "ipip-cross-subnet": "IPIPCrossSubnet",
  vxlan: "VXLAN",
  "vxlan-cross-subnet": "VXLANCrossSubnet",
  none: "None",
} as const;

export const poolOperator: TrapKind = {
  code: "POOL_OF_OPERATOR",
  meaning:
    "The pool belongs to the Tigera operator, which writes back what its Installation resource says: the change would be undone for all nodes at once.",
  remedy:
    "Stop the operator for the time of the change, and give the Installation the new mode before it starts again.",
  find: ({ pool, to }) => {
    if (!pool || !to) return [];
    const { labels = {}, ownerReferences = [], name } = pool.metadata;
    const owned = ownerReferences.some(({ kind }) => kind === "Installation");
    if (labels[LABEL] !== OPERATOR && !owned) return [];
    const message = `IPPool ${name} belongs to the Tigera operator: it would put the old mode back on every node at once`;
    const remedy = `kubectl -n tigera-operator scale deployment tigera-operator --replicas=0; after the change set encapsulation ${encapsulations[to]} for ${pool.spec.cidr} in the Installation, then scale it up again`;
    return [{ severity: "refuse", message, nodes: [], remedy }];
  },
};
