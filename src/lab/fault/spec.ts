/**
 * The faults a lab's fabric can have, as data: what the command line, the library and the lab's record
 * on disk share.
 */

import { z } from "zod";
import { SwitchyardError } from "../../lib/index.ts";

/**
 * Where a fault acts. A member is a node, a subnet by its bridge (`br20`: its nodes), `outside`, or `all`.
 * Nothing given: everywhere.
 */
const place = {
  /** What goes from the first member to the second, and back unless `oneWay`. */
  between: z.tuple([z.string(), z.string()]).readonly().optional(),
  /** On the link of this node: what it sends, and what it is sent unless `oneWay`. */
  node: z.string().optional(),
  /** What crosses the router: not within a subnet. */
  router: z.literal(true).optional(),
  oneWay: z.literal(true).optional(),
};

/** `pods`: pods' packets without encapsulation. */
export const faultTraffic = ["ipip", "vxlan", "pods"] as const;
export type FaultTraffic = (typeof faultTraffic)[number];

const specSchema = z.discriminatedUnion("kind", [
  /** IP protocol 4 is dropped. */
  z.strictObject({ kind: z.literal("drop-ipip"), ...place }),
  /** UDP to port 4789 is dropped. */
  z.strictObject({ kind: z.literal("drop-vxlan"), ...place }),
  /** What a node sends from an address that is not its own is dropped. */
  z.strictObject({ kind: z.literal("source-check"), ...place }),
  /** A share of all packets, or of some sort, is dropped. */
  z.strictObject({
    kind: z.literal("loss"),
    ...place,
    percent: z.number().gt(0).max(100),
    traffic: z.enum(faultTraffic).optional(),
  }),
  /**
   * Larger packets (bytes of IP) are dropped and nobody is told; at the router: its own MTU, so that those
   * who send larger ones are told, and packets that may be cut are.
   */
  z.strictObject({ kind: z.literal("small-mtu"), ...place, mtu: z.int().min(1280).max(1499) }),
  /** Of what is inside IP-in-IP or VXLAN, checksums that were left to an offload arrive wrong. */
  z.strictObject({ kind: z.literal("bad-checksum"), ...place }),
  /** All packets, or those of some sort, arrive later, in the same order. */
  z.strictObject({
    kind: z.literal("delay"),
    ...place,
    delayMs: z.int().min(1).max(2000),
    traffic: z.enum(faultTraffic).optional(),
  }),
  /** Everything is dropped, ARP and BGP too. */
  z.strictObject({ kind: z.literal("cut"), ...place }),
  /** From the first subnet to the second only replies pass: conntrack of the router's own kernel. */
  z.strictObject({
    kind: z.literal("stateful-filter"),
    between: z.tuple([z.string(), z.string()]).readonly(),
    /** All three unless told; never what nodes say to each other themselves. */
    traffic: z.enum(faultTraffic).optional(),
  }),
  /** Hosts check the reverse path strictly on every device but those of pods. */
  z.strictObject({ kind: z.literal("strict-rp-filter"), node: z.string().optional() }),
]);

export type FaultSpec = z.infer<typeof specSchema>;
export type FaultKind = FaultSpec["kind"];

export const faultKinds: readonly FaultKind[] = specSchema.options.map(
  ({ shape }) => shape.kind.value,
);

/** As the lab's record keeps it. */
export const faultRecordSchema = z.strictObject({
  /** Never used again in the same lab. */
  id: z.int().positive(),
  spec: specSchema,
  /** Of a stateful filter: its conntrack zone, so that it knows no flow from before. */
  zone: z.int().positive().optional(),
  /** Of strict-rp-filter: what there was, by node and device. */
  rpFilter: z.record(z.string(), z.record(z.string(), z.string())).optional(),
});

export type FaultRecord = z.infer<typeof faultRecordSchema>;

/** @throws INVALID_ARGUMENT. */
export function checkFault(spec: { readonly kind: string }): FaultSpec {
  const parsed = specSchema.safeParse(spec);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => {
    return [spec.kind, path.join("."), message].filter((part) => part !== "").join(": ");
  });
  throw new SwitchyardError("INVALID_ARGUMENT", issues.join("; "), { cause: parsed.error });
}
