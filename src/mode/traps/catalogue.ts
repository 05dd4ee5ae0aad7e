/** Every trap that is looked for, in the order of docs/reference/traps.md. */

import { agentVersionsDiffer, nodeWithoutAgent, nodeWithoutHost } from "./kinds/agents.ts";
import { bgpAsMismatch } from "./kinds/bgp-as-mismatch.ts";
import { bgpFilterRefuses } from "./kinds/bgp-filter.ts";
import { bgpNoPeers } from "./kinds/bgp-no-peers.ts";
import { bgpRoutesMissing, bgpSessionDown } from "./kinds/bgp-session-down.ts";
import { changeRunning } from "./kinds/change-running.ts";
import { hostMtusDiffer, mtuSetting } from "./kinds/host-mtu.ts";
import { knownFaults } from "./kinds/known-faults.ts";
import { kubeProxy } from "./kinds/kube-proxy.ts";
import { nodeAddressForeign, nodeAddressShared } from "./kinds/node-address-foreign.ts";
import { nodeAddressMask, nodeAddressMaskDiffers } from "./kinds/node-address-mask.ts";
import { familyMissing, nodeAddressMissing } from "./kinds/node-address-missing.ts";
import { nodeFailing, nodeNotSettled } from "./kinds/node-not-settled.ts";
import { podMtu } from "./kinds/pod-mtu.ts";
import { poolDisabled } from "./kinds/pool-disabled.ts";
import { poolFull } from "./kinds/pool-full.ts";
import { poolHasMode } from "./kinds/pool-has-mode.ts";
import { poolIpv6 } from "./kinds/pool-ipv6.ts";
import { poolMissing } from "./kinds/pool-missing.ts";
import { poolNotExported } from "./kinds/pool-not-exported.ts";
import { poolOperator } from "./kinds/pool-operator.ts";
import { poolsOverlap } from "./kinds/pools-overlap.ts";
import { routerWithoutRoutes } from "./kinds/router-without-routes.ts";
import { rpFilter } from "./kinds/rp-filter.ts";
import {
  tunnelAddressBorrowed,
  tunnelAddressMissing,
  tunnelAddressShared,
  tunnelAddressUnavailable,
} from "./kinds/tunnel-address.ts";
import { tunnelNotPossible } from "./kinds/tunnel-not-possible.ts";
import { vxlanPort } from "./kinds/vxlan-port.ts";
import type { TrapKind } from "./types.ts";

export const trapCatalogue: readonly TrapKind[] = [
  poolMissing,
  poolHasMode,
  poolIpv6,
  poolsOverlap,
  poolDisabled,
  poolNotExported,
  poolOperator,
  poolFull,
  changeRunning,
  nodeWithoutAgent,
  nodeWithoutHost,
  agentVersionsDiffer,
  nodeNotSettled,
  nodeFailing,
  nodeAddressMissing,
  familyMissing,
  nodeAddressForeign,
  nodeAddressShared,
  nodeAddressMask,
  nodeAddressMaskDiffers,
  tunnelNotPossible,
  tunnelAddressUnavailable,
  tunnelAddressMissing,
  tunnelAddressBorrowed,
  tunnelAddressShared,
  vxlanPort,
  rpFilter,
  hostMtusDiffer,
  mtuSetting,
  podMtu,
  bgpNoPeers,
  bgpFilterRefuses,
  bgpAsMismatch,
  bgpSessionDown,
  bgpRoutesMissing,
  routerWithoutRoutes,
  kubeProxy,
  knownFaults,
];
