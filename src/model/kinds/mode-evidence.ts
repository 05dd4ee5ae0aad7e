/**
 * ModeEvidence (switchyard.io/v1): what one node saw of one ModeChange: its proof packets and its guard.
 * Named `CHANGE.NODE`, written by that node's agent only, kept as long as its change.
 */

import { z } from "zod";
import { encapsulations } from "./node-mode.ts";

export const modeEvidenceSpecSchema = z.strictObject({ change: z.string(), node: z.string() });

/** What packets from this node to one other showed. Counts are packets, times microseconds. */
export const proofResultSchema = z.strictObject({
  node: z.string(),
  encapsulation: z.enum(encapsulations),
  /** Sent one way, before anything of the new encapsulation came the other way; the receiver heard them or not. */
  first: z.strictObject({ sent: z.int() }).optional(),
  /** There and back. */
  both: z.strictObject({ sent: z.int(), received: z.int() }).optional(),
  /** A packet as large as pods may send with DF set, and one byte more. */
  full: z
    .strictObject({
      bytes: z.int(),
      arrived: z.boolean(),
      oneMore: z.enum(["arrived", "refused", "lost"]),
      /** Largest that came through, where `bytes` did not. */
      largest: z.int().optional(),
    })
    .optional(),
  tcp: z
    .strictObject({
      bytes: z.int(),
      completed: z.boolean(),
      tookUs: z.int(),
      /** Longest time without progress. */
      stallUs: z.int(),
      /** Segments whose checksums this host computed itself instead of leaving it to a device. */
      software: z.strictObject({ sent: z.int(), received: z.int() }).optional(),
    })
    .optional(),
  loss: z
    .strictObject({
      sent: z.int(),
      received: z.int(),
      rttP50Us: z.int(),
      rttP99Us: z.int(),
    })
    .optional(),
  /** Why packets could not even be sent, in the kernel's words. */
  error: z.string().optional(),
});
export type ProofResult = z.infer<typeof proofResultSchema>;

/** A sign that the move does harm. */
export const breachSchema = z.strictObject({
  kind: z.enum([
    "probe-loss",
    "probe-gap",
    "kernel-drops",
    "no-route",
    "retransmits",
    "conntrack",
    "bgp",
    "apply",
  ]),
  /** The other node, where there is one. */
  node: z.string().optional(),
  message: z.string(),
});
export type Breach = z.infer<typeof breachSchema>;

export const modeEvidenceStatusSchema = z.strictObject({
  /** The node can be probed, and probe: its address and its routes of the proof are there. */
  ready: z.boolean(),
  /** Why not, or what is missing. */
  problems: z.array(z.string()),
  /** Last round that this node has finished. */
  proved: z.enum(["no", "first", "full"]),
  results: z.array(proofResultSchema),
  /** Nodes whose first packets arrived here. */
  heard: z.array(z.string()),
  /** Nodes whose packets of the round `full` arrived here, answered or not. */
  reached: z.array(z.string()).optional(),
  guard: z
    .strictObject({
      /** Step of the orders under which this was seen. */
      step: z.int(),
      /** Watched for the whole settling time of that step without a breach. */
      quiet: z.boolean(),
      breaches: z.array(breachSchema),
      probes: z.strictObject({
        sent: z.int(),
        lost: z.int(),
        rttP50Us: z.int(),
        rttP99Us: z.int(),
        longestGapMs: z.int(),
      }),
      /** How far the kernel's counters rose since the guard began. */
      counters: z.record(z.string(), z.int()),
      /** What it cannot see, and why: one line each. */
      blind: z.array(z.string()).optional(),
    })
    .optional(),
  /** RFC 3339. */
  updatedAt: z.string(),
});
export type ModeEvidenceStatus = z.infer<typeof modeEvidenceStatusSchema>;
