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
  /** Absent: no device holds the address that the Node says. */
  uplink: deviceSchema.optional(),
  uplink6: deviceSchema.optional(),
  /** Those that say how large packets may be, and the uplinks. */
  interfaces: z.array(z.strictObject({ name: z.string(), mtu: z.int(), running: z.boolean() })),
  /** Routes of the host that lead to other nodes: not ours, and no more than that. */
  routes: z.array(
    z.strictObject({ destination: z.string(), gateway: z.string().optional(), device: z.string() }),
  ),
  /** Addresses of the host's devices, with their masks; not of pods' devices, and no more than 32. */
  addresses: z.array(z.strictObject({ device: z.string(), address: z.string() })),
  /** `uname -r`. */
  kernel: z.string(),
  /** What can carry each tunnel here: `kernel`, `bpf`, `unknown`, or why nothing can. */
  tunnels: z.strictObject({ ipip: z.string(), vxlan: z.string() }),
  /** Driver of the uplink, and its offloads of checksums and tunnels that are on, in the kernel's names. */
  driver: z.string().optional(),
  offloads: z.array(z.string()),
  /** net.ipv4.conf.*.rp_filter where it is not 0: of `all`, and of devices that are not pods'. */
  rpFilter: z.record(z.string(), z.int()),
  /** Devices and sockets, not ours, at the VXLAN port: in words, and whether our device cannot be beside it. */
  vxlanPortHolders: z.array(z.strictObject({ holder: z.string(), blocks: z.boolean() })),
  /** Tunnel addresses that sockets of the host use as their source, each with how many. */
  tunnelAddressSockets: z.record(z.string(), z.int()),
  /** MTUs of running pods, and how many have each. */
  podMtus: z.record(z.string(), z.int()),
  /** Absent: this node speaks no BGP. Its size does not grow with the mesh as long as that is well. */
  bgp: z
    .strictObject({
      localAs: z.int(),
      /** Sessions that are to be, and that are Established. */
      sessions: z.int(),
      established: z.int(),
      /** Those outside of the mesh, and those that are not Established; no more than 64. */
      peers: z.array(
        z.strictObject({
          address: z.string(),
          /** As in `node status`: `node-to-node mesh`, `global`, `node specific`. */
          kind: z.string(),
          /** `Established`, or another state of RFC 4271. */
          state: z.string(),
          remoteAs: z.int(),
          /** What ended the last session. */
          reason: z.string().optional(),
        }),
      ),
      /** Blocks of other nodes that no session has told of: how many, and the first 32. */
      missing: z.strictObject({ count: z.int(), blocks: z.array(z.string()) }),
    })
    .optional(),
  agentVersion: z.string(),
  /** RFC 3339. */
  updatedAt: z.string(),
});
export type NodeHostStatus = z.infer<typeof nodeHostStatusSchema>;
