/**
 * NodeHost (switchyard.io/v1): what a node's host is like, as its agent found it: what another process needs
 * to plan for that node, and to see what a change of mode would trip over. Named like its node, written when
 * it changes, watched by nobody.
 */

import { z } from "zod";

const deviceSchema = z.strictObject({
  name: z.string(),
  index: z.int(),
  mac: z.string(),
  mtu: z.int(),
  prefixLength: z.int().optional(),
});

export const nodeHostSpecSchema = z.strictObject({});

export const nodeHostStatusSchema = z.strictObject({
  uplink: deviceSchema,
  uplink6: deviceSchema.optional(),
  interfaces: z.array(z.strictObject({ name: z.string(), mtu: z.int(), running: z.boolean() })),
  /** Routes of the host that lead to other nodes: not ours, and no more than that. */
  routes: z.array(
    z.strictObject({ destination: z.string(), gateway: z.string().optional(), device: z.string() }),
  ),
  /** Addresses of the host's devices, with their masks. */
  addresses: z.array(z.strictObject({ device: z.string(), address: z.string() })),
  /** `uname -r`. */
  kernel: z.string(),
  /** What can carry each tunnel here: `kernel`, `bpf`, or why nothing can. */
  tunnels: z.strictObject({ ipip: z.string(), vxlan: z.string() }),
  /** ethtool: driver of the uplink, and its offloads that are on, as ethtool spells them. */
  driver: z.string().optional(),
  offloads: z.array(z.string()),
  /** net.ipv4.conf.*.rp_filter where it is not 0, by device, `all` and `default` included. */
  rpFilter: z.record(z.string(), z.int()),
  /** Devices and sockets, not ours, that hold the VXLAN port: in words. */
  vxlanPortHolders: z.array(z.string()),
  /** Tunnel addresses that sockets of the host use as their source, each with how many. */
  tunnelAddressSockets: z.record(z.string(), z.int()),
  /** MTUs of running pods, and how many have each. */
  podMtus: z.record(z.string(), z.int()),
  /** BGP sessions: peer address to state (`Established`), and blocks learned over it. */
  bgp: z.array(
    z.strictObject({
      peer: z.string(),
      kind: z.string(),
      state: z.string(),
      reason: z.string().optional(),
      localAs: z.int().optional(),
      remoteAs: z.int().optional(),
      prefixes: z.array(z.string()),
    }),
  ),
  agentVersion: z.string(),
  /** RFC 3339. */
  updatedAt: z.string(),
});
export type NodeHostStatus = z.infer<typeof nodeHostStatusSchema>;
