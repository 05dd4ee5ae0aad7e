/** Which fabric fault breaks which mode, and how the proof is to name it: one row per fault. */

import type { FaultSpec } from "../../src/lab/index.ts";
import type { ModeName } from "../../src/model/index.ts";

/** Subnets of the lab, by their bridges. */
export const subnets = { br20: "172.139.20.0/24", br30: "172.139.30.0/24" } as const;

type Subnet = keyof typeof subnets;
/** `br20 > br30`: from nodes of the first to nodes of the second. */
export type Way = `${Subnet} > ${Subnet}`;

export interface FaultRow {
  readonly fault: FaultSpec;
  /** A mode that it does not break: pods do not notice the fault. */
  readonly from: ModeName;
  /**
   * The guard may miss it: packets of full size do not pass in the old mode either, so they are not watched,
   * and the pods' own, a little smaller, are not looked at.
   */
  readonly hiddenFromGuard?: true;
  /** What the proof says of the change to each mode that it breaks. */
  readonly breaks: Partial<Readonly<Record<ModeName, Broken>>>;
}

export interface Broken {
  /** Exactly these verdicts are bad. */
  readonly ways: readonly Way[];
  /** Each says this, or, of some ways, that. */
  readonly says: RegExp | Partial<Readonly<Record<Way, RegExp>>>;
}

const across: readonly Way[] = ["br20 > br30", "br30 > br20"];
const within: readonly Way[] = ["br20 > br20", "br30 > br30"];
const everywhere = [...across, ...within];
const there: Way = "br20 > br30";

const ipipDropped = /^protocol 4 \(IP-in-IP\) is dropped both ways/;
const vxlanDropped = /^UDP 4789 \(VXLAN\) is dropped both ways/;
const sourceChecked = /source check/;
const tooLarge = (largest: string) =>
  new RegExp(`^full-size packets do not pass: largest ${largest}`);
const offload = /checksum offload/;
const lossy = /^[0-9,]+ of [0-9,]+ lost/;

export const faultTable: readonly FaultRow[] = [
  {
    fault: { kind: "drop-ipip" },
    from: "none",
    breaks: {
      ipip: { ways: everywhere, says: ipipDropped },
      "ipip-cross-subnet": { ways: across, says: ipipDropped },
    },
  },
  {
    fault: { kind: "drop-ipip", between: ["br20", "br30"], oneWay: true },
    from: "none",
    breaks: {
      ipip: {
        ways: across,
        says: {
          "br20 > br30": /^protocol 4 \(IP-in-IP\) is dropped this way, the other way passes/,
          "br30 > br20": /their answers do not: see the other direction/,
        },
      },
    },
  },
  {
    fault: { kind: "stateful-filter", between: ["br20", "br30"], traffic: "ipip" },
    from: "none",
    breaks: {
      ipip: {
        ways: [there],
        says: /^protocol 4 \(IP-in-IP\) is dropped one way: a stateful filter/,
      },
      "ipip-cross-subnet": { ways: [there], says: /a stateful filter/ },
    },
  },
  {
    fault: { kind: "drop-vxlan", router: true },
    from: "none",
    breaks: {
      vxlan: { ways: across, says: vxlanDropped },
      "vxlan-cross-subnet": { ways: across, says: vxlanDropped },
    },
  },
  {
    // Conntrack never takes VXLAN for a reply: each side chooses its source ports.
    fault: { kind: "stateful-filter", between: ["br20", "br30"], traffic: "vxlan" },
    from: "none",
    breaks: {
      vxlan: {
        ways: across,
        says: {
          "br20 > br30": /^UDP 4789 \(VXLAN\) is dropped this way, the other way passes/,
          "br30 > br20": /their answers do not: see the other direction/,
        },
      },
    },
  },
  {
    fault: { kind: "small-mtu", mtu: 1460, between: ["br20", "br30"] },
    from: "none",
    hiddenFromGuard: true,
    breaks: {
      ipip: { ways: across, says: tooLarge("1,440 of 1,480") },
      vxlan: { ways: across, says: tooLarge("1,410 of 1,450") },
    },
  },
  {
    fault: { kind: "bad-checksum", router: true },
    from: "none",
    breaks: {
      ipip: { ways: across, says: offload },
      vxlan: { ways: across, says: offload },
    },
  },
  {
    fault: { kind: "loss", percent: 5, router: true, traffic: "vxlan" },
    from: "none",
    breaks: { vxlan: { ways: across, says: lossy } },
  },
  {
    fault: { kind: "source-check" },
    from: "ipip",
    breaks: {
      none: { ways: everywhere, says: sourceChecked },
      "ipip-cross-subnet": { ways: within, says: sourceChecked },
      "vxlan-cross-subnet": { ways: within, says: sourceChecked },
    },
  },
  {
    fault: { kind: "stateful-filter", between: ["br20", "br30"], traffic: "pods" },
    from: "ipip",
    breaks: { none: { ways: [there], says: /a stateful filter/ } },
  },
];
