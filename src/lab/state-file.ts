/**
 * The lab's record on disk: sizes, processes, pods. Written whole and atomically, before what it
 * announces is made, so that `down` knows of everything even when `up` was killed half-way.
 */

import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { errorText, SwitchyardError } from "../lib/index.ts";
import { faultRecordSchema } from "./fault/spec.ts";
import { parseMode } from "./modes.ts";
import { podMtus } from "./pod-mtu.ts";
import { rpFilters } from "./rp-filter.ts";

const processSchema = z.strictObject({ pid: z.int().positive(), startTime: z.int() });

const podSchema = z.strictObject({
  node: z.string(),
  /** `/32` less: `10.244.1.3`. */
  address: z.string(),
  /** In a dual-stack lab. */
  address6: z.string().optional(),
  /** What a container runtime would call it; part of the IPAM handle. */
  containerId: z.string(),
  interfaceName: z.string(),
});

const recordSchema = z.strictObject({
  version: z.literal(1),
  nodes: z.int().positive(),
  podsPerNode: z.int().nonnegative(),
  /** IPv6 beside IPv4; absent: IPv4 only. */
  dualStack: z.literal(true).optional(),
  /** The mode the lab was made with; the pool may have moved on. */
  mode: z.string().transform(parseMode),
  /** What the agents do about the MTU of running pods; absent: `fixed`. */
  podMtu: z.enum(podMtus).optional(),
  /** As `agent --drain` takes it; absent: the agent's own. */
  drain: z.string().optional(),
  /** Reverse-path filter the nodes' kernels were given; absent: the machine's own default. */
  rpFilter: z.enum(rpFilters).optional(),
  /** By process name: `server`, `router`, `agent-node1`. */
  processes: z.record(z.string(), processSchema),
  /** Pods whose address was assigned, by name. */
  pods: z.record(z.string(), podSchema),
  /** Of the fabric, in the order in which they were added; absent: none. */
  faults: z.array(faultRecordSchema).optional(),
  /** The highest id a fault has had. */
  lastFault: z.int().nonnegative().optional(),
});

export type LabRecord = z.infer<typeof recordSchema>;
export type PodRecord = z.infer<typeof podSchema>;

/** undefined when there is no lab. @throws LAB_FAILED when the file is not one of ours. */
export function readRecord(file: string): LabRecord | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new SwitchyardError("LAB_FAILED", `${file} is no lab state: ${errorText(error)}`, {
      cause: error,
    });
  }
}

export function writeRecord(file: string, record: LabRecord): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
  const temporary = `${file}.new`;
  const descriptor = openSync(temporary, "w", 0o644);
  try {
    writeSync(descriptor, `${JSON.stringify(record, undefined, 2)}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, file);
}
