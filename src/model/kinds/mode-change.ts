/**
 * ModeChange (switchyard.io/v1): one change of a pool's mode, from the wish to its end. The spec is the
 * operator's and is only added to (confirm, pause, roll back); the status is the driver's, whoever that is
 * at the time. Agents obey `status.orders` and nothing else of it.
 */

import { z } from "zod";
import { encapsulations } from "./node-mode.ts";

/** Modes as an operator names them. */
export const modeNames = [
  "ipip",
  "ipip-cross-subnet",
  "vxlan",
  "vxlan-cross-subnet",
  "none",
] as const;
export type ModeName = (typeof modeNames)[number];

export const changePhases = [
  "Planning",
  "Proving",
  "Widening",
  "Canary",
  "Rolling",
  "Verifying",
  "AwaitingConfirm",
  "Narrowing",
  "RollingBack",
  "Done",
  "Refused",
  "RolledBack",
] as const;
export type ChangePhase = (typeof changePhases)[number];

export const modeChangeSpecSchema = z.strictObject({
  /** The pool and its new mode; absent when the change is of the node-to-node mesh. */
  pool: z.string().optional(),
  to: z.enum(modeNames).optional(),
  /** These blocks of the pool go first, one after the other, from every node; then the rest, by waves. CIDRs. */
  blocks: z.array(z.string()).optional(),
  /** The BGP node-to-node mesh is to be on or off (route reflectors or routers instead). */
  mesh: z.enum(["on", "off"]).optional(),
  /** Nodes that move first, alone. 0: none. */
  canary: z.int().min(0).optional(),
  /** How many nodes move at a time after them: `8`, or `25%` of all. */
  wave: z
    .string()
    .regex(/^[1-9][0-9]*$|^([1-9][0-9]?|100)%$/, "a number of nodes, or a percentage")
    .optional(),
  /** How long a moved cluster waits for `confirmed` before it goes back. */
  confirmWithinSeconds: z.int().min(1).optional(),
  /** The operator's word, given at any time; from the start: nobody will be waited for. */
  confirmed: z.boolean().optional(),
  /** No further node moves until this is false again. */
  paused: z.boolean().optional(),
  /** Go back. Nothing takes this back. */
  rollback: z.boolean().optional(),
  /** Prove and end; nothing moves. */
  proveOnly: z.boolean().optional(),
  /** Move without proof, and why: kept as evidence. */
  skipProof: z.strictObject({ reason: z.string().min(1) }).optional(),
  /** Codes of traps that the operator has read and takes on himself. */
  accepted: z.array(z.string()).optional(),
  /** Of the random choice of pairs, canaries and waves. */
  seed: z.int().min(0).optional(),
  /** Whoever asked, in words: user and host. `patch`: a plain patch of the pool, noted afterwards. */
  requestedBy: z.string().optional(),
});
export type ModeChangeSpec = z.infer<typeof modeChangeSpecSchema>;

/** What agents are to do. Only what is here, not the phase, tells them. */
export const changeOrdersSchema = z.strictObject({
  /** Rises with every change of the orders. */
  step: z.int(),
  /** Every node is ready to receive what `to` sends, from the first order to the last. */
  widen: z.boolean(),
  /** Nodes send proof packets of this round to the partners that `probePairs` gives them. */
  prove: z.enum(["no", "first", "full"]),
  /** Live probes run over workload routes, and breaches are reported. */
  guard: z.boolean(),
  /** Nodes that send the new way. */
  moved: z.union([z.literal("all"), z.array(z.string())]),
  /** Blocks of the pool that every node sends the new way, also those not in `moved`. CIDRs. */
  blocks: z.array(z.string()).optional(),
  /** Authenticates probe packets: 32 bytes in hex. */
  key: z.string(),
});
export type ChangeOrders = z.infer<typeof changeOrdersSchema>;

export const trapSchema = z.strictObject({
  /** From the catalogue of traps: `NODE_ADDRESS_WITHOUT_MASK`. */
  code: z.string(),
  /** `refuse`: the change does not begin unless its code is accepted; `warn`: it is shown. */
  severity: z.enum(["refuse", "warn"]),
  /** What is wrong and what would happen. */
  message: z.string(),
  nodes: z.array(z.string()),
  remedy: z.string(),
});
export type Trap = z.infer<typeof trapSchema>;

export const verdictSchema = z.strictObject({
  /** Subnets of the sending and of the receiving nodes. */
  from: z.string(),
  to: z.string(),
  encapsulation: z.enum(encapsulations),
  pairs: z.int(),
  failed: z.int(),
  ok: z.boolean(),
  /** What the packets showed, and the probable cause, in words. */
  message: z.string(),
});
export type Verdict = z.infer<typeof verdictSchema>;

export const modeChangeStatusSchema = z.strictObject({
  phase: z.enum(changePhases),
  /** RFC 3339: when the phase began. */
  phaseSince: z.string(),
  /** What the pool said before; `on` or `off` for the mesh. */
  from: z.string(),
  /** Of the pool when the change began, or after the driver's own write. */
  poolResourceVersion: z.string().optional(),
  /** Of the pool when the change began: one made anew under the same name is another pool. */
  poolUid: z.string().optional(),
  /** The pool says the new mode, and there is no way back any more. */
  committed: z.boolean().optional(),
  /** Absent before anything is asked of agents, and at the end. */
  orders: changeOrdersSchema.optional(),
  /** Nodes in the order in which they move; the first wave is the canary. */
  waves: z.array(z.array(z.string())).optional(),
  traps: z.array(trapSchema).optional(),
  verdicts: z.array(verdictSchema).optional(),
  /** RFC 3339: without confirmation it goes back then. */
  confirmBy: z.string().optional(),
  /** Set when it goes back and at the end: which of old and new it is, and why, in words. */
  reason: z.string().optional(),
  /** What somebody should look at although the change goes on or is over. */
  attention: z.array(z.string()).optional(),
  /** The process that drives now, for the reader; who may is said by the Lease. */
  driver: z.string().optional(),
  history: z.array(
    z.strictObject({
      /** RFC 3339. */
      at: z.string(),
      phase: z.enum(changePhases),
      message: z.string(),
    }),
  ),
});
export type ModeChangeStatus = z.infer<typeof modeChangeStatusSchema>;
