/** What a path may do and still be trusted with pods. One table, for judge and reader. */

export const proofThresholds = {
  /** Of 1,000 packets paced over seconds: more lost than that is no path for pods. */
  lostPerThousand: 5,
  /** TCP recovers from a single loss in 200 ms or so; what stands still longer is stuck. */
  tcpStallUs: 1_000_000,
} as const;
