/** IP-in-IP (RFC 2003) carries IPv4 only. */

import type { TrapKind } from "../types.ts";

export const poolIpv6: TrapKind = {
  code: "IPIP_FOR_IPV6",
  meaning: "IP-in-IP carries IPv4 only; an IPv6 pool that asks for it is routed plainly.",
  remedy: "Choose `vxlan`, `vxlan-cross-subnet` or `none`.",
  find: ({ pool, family, to }) =>
    pool && family === 6 && to?.startsWith("ipip")
      ? [
          {
            severity: "refuse",
            message: `IPPool ${pool.metadata.name} (${pool.spec.cidr}) is IPv6, which IP-in-IP does not carry: its packets would be plain`,
            nodes: [],
          },
        ]
      : [],
};
