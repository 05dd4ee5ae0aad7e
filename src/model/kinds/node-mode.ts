/**
 * NodeMode (switchyard.io/v1): what one node accepts, sends and has realised. Named like its node,
 * written by that node's agent only, read by all: the gate of every mode change.
 */

import { z } from "zod";

export const encapsulations = ["none", "ipip", "vxlan", "vxlan-v6"] as const;
/** What a packet to one destination node wears. */
export type Encapsulation = (typeof encapsulations)[number];

export const nodeModeSpecSchema = z.strictObject({});

export const nodeModeStatusSchema = z.strictObject({
  /** Encapsulations this node would deliver. Published after they work, withdrawn before they stop. */
  accepts: z.array(z.enum(encapsulations)),
  /** Encapsulations this node may still send to anybody. Published before the first such route. */
  sends: z.array(z.enum(encapsulations)),
  /** Remote blocks by what is really sent to them. */
  destinations: z.partialRecord(z.enum(encapsulations), z.int()),
  /** Per pool: the mode this node has reached for every remote block, and of which pool revision. */
  pools: z.record(
    z.string(),
    z.strictObject({
      mode: z.string(),
      resourceVersion: z.string(),
      /** Every remote block of the pool is sent the way the pool says. */
      realised: z.boolean(),
      /** Why not, in words: one line per cause. */
      waiting: z.array(z.string()),
    }),
  ),
  /**
   * Mode changes whose orders this node obeys, by name. Gone once it has acted on there being no orders
   * any more: that is what the end of a change that goes back waits for.
   */
  changes: z
    .record(
      z.string(),
      z.strictObject({
        /** It receives what the new mode sends, and can be sent it. */
        widened: z.boolean(),
        /** The orders name this node, and everything here has moved. False while they do not name it. */
        moved: z.boolean(),
        /** So many of the blocks that the orders name go the new way here. */
        blocks: z.int().optional(),
        /** Why it is not there yet: one line per cause. */
        waiting: z.array(z.string()).optional(),
      }),
    )
    .optional(),
  /** The node-to-node mesh, while a change of it runs. */
  mesh: z
    .strictObject({
      /** What it plans its BGP with: a change may have moved it already. */
      mode: z.enum(["on", "off"]),
      /** Of the BGPConfiguration `default` that it has acted on; empty where there is none. */
      resourceVersion: z.string(),
      /** It takes sessions of the mesh from whoever dials it. */
      open: z.boolean(),
      /** Its sessions of the mesh that are not Established, one line each, no more than 8. */
      waiting: z.array(z.string()),
    })
    .optional(),
  /** Address of a block of its own, or borrowed, at which it can be probed while a change runs. */
  probeAddress: z.string().optional(),
  /** Packets of its pods, in bytes; absent where the agent leaves the MTU of running pods alone. */
  mtu: z
    .strictObject({
      /** What its network carries without encapsulation. */
      host: z.int(),
      /** Largest its pods may send. Raised here before they do, lowered after they have stopped. */
      sends: z.int(),
      /** Largest its pods take. Raised here after they do, lowered before they stop. */
      accepts: z.int(),
    })
    .optional(),
  /** `kernel` or `bpf`: what carries IP-in-IP on this node. */
  ipipBackend: z.enum(["kernel", "bpf"]).optional(),
  /** What is kept although no pool needs it any more, and why: a tunnel whose address sockets use. */
  kept: z.array(z.string()).optional(),
  /** Objects the kernel refused, with its words. */
  failures: z.array(z.string()),
  agentVersion: z.string(),
  /** RFC 3339. */
  updatedAt: z.string(),
});

export type NodeModeStatus = z.infer<typeof nodeModeStatusSchema>;
