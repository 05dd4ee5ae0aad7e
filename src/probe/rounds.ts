/**
 * The rounds of the proof, as one node runs them towards its partners. Nothing here throws for what the network
 * does: whatever happens to a packet is a result.
 */

import { type Clock, errorText, type IpAddress, isIpv4, sleep } from "../lib/index.ts";
import type { Encapsulation, ProofResult } from "../model/index.ts";
import { type Answer, ProbeAsker, type ProbeAskerOptions } from "./asker.ts";
import { sendBulk } from "./bulk-client.ts";
import { measureFullSize } from "./full-size.ts";
import { measureLoss } from "./loss.ts";
import { probeIdentity } from "./packet.ts";
import { sendSoftwareSegments } from "./software-segments.ts";

export interface ProofPartner {
  readonly node: string;
  readonly address: IpAddress;
  readonly encapsulation: Encapsulation;
  /** To be sent the first packets; otherwise it sends them. */
  readonly first: boolean;
  /** Largest IP packet that pods will send to it in the new mode. */
  readonly packetBytes: number;
}

export interface ProofRoundOptions {
  readonly node: string;
  /** Where probes are sent from. */
  readonly address: IpAddress;
  readonly port: number;
  /** Path of a network namespace; the own unless told. */
  readonly namespace?: string;
  readonly change: string;
  readonly key: Uint8Array;
  readonly partners: readonly ProofPartner[];
  readonly clock: Clock;
  /** Ends the round early; what has been seen is reported. */
  readonly signal: AbortSignal;
  /** Called for each partner when it is done. */
  readonly report: (result: ProofResult) => void;
}

const FIRST_AFTER_MS = [0, 300, 700] as const;
/** The last waits for a partner whose process waits for its CPU. */
const ECHOES_WITHIN_MS = [500, 500, 1_000, 1_000, 4_000] as const;
const LOSS_PER_SECOND = 250;
const LOSS_PACKETS = 1_000;
/** Of all partners together: beyond 15, each gets its share of this, but never less than the least. */
const LOSS_PACKETS_OF_NODE = 15_000;
const LEAST_LOSS_PACKETS = 100;
const BULK_WITHIN_MS = 8_000;
/** What stands still for that long is worth asking why. */
const SUSPICIOUS_STALL_US = 500_000;
const FIRST_AT_A_TIME = 16;
const FULL_AT_A_TIME = 4;

/** One way: of a pair only who is first sends, and nobody answers. */
export async function runFirstRound(options: ProofRoundOptions): Promise<void> {
  const partners = options.partners.filter(({ first }) => first);
  await forEach(partners, FIRST_AT_A_TIME, options.signal, async (partner) => {
    await withAsker(options, partner, async (asker) => {
      let sent = 0;
      let error: string | undefined;
      let beforeMs = 0;
      for (const afterMs of FIRST_AFTER_MS) {
        await sleep(options.clock, afterMs - beforeMs);
        beforeMs = afterMs;
        const refused = await asker.tell();
        if (refused === undefined) sent++;
        else error = refused;
      }
      return { first: { sent }, ...(sent === 0 && error !== undefined && { error }) };
    });
  });
}

/** Both ways, full size, TCP, loss and round trip, to every partner. */
export async function runFullRound(options: ProofRoundOptions): Promise<void> {
  const { partners, signal } = options;
  const share = Math.floor(LOSS_PACKETS_OF_NODE / Math.max(1, partners.length));
  const packets = Math.min(LOSS_PACKETS, Math.max(LEAST_LOSS_PACKETS, share));
  await forEach(partners, FULL_AT_A_TIME, signal, async (partner) => {
    await withAsker(options, partner, (asker) => proveTo({ ...options, partner, asker, packets }));
  });
}

type Findings = Omit<ProofResult, "node" | "encapsulation">;

interface Proving extends ProofRoundOptions {
  readonly partner: ProofPartner;
  readonly asker: ProbeAsker;
  readonly packets: number;
}

async function proveTo(proving: Proving): Promise<Findings> {
  const { asker, clock, partner, packets, signal } = proving;
  const answers: Answer[] = [];
  for (const withinMs of ECHOES_WITHIN_MS) answers.push(await asker.ask({ withinMs }));
  const received = answers.filter(({ kind }) => kind === "answered").length;
  const both = { sent: answers.length, received };
  const refused = answers.find((answer) => answer.kind === "refused");
  if (received === 0) {
    if (refused) return { both, error: refused.error };
    const tcp = await tcpWithoutUdp(proving);
    return { both, ...(tcp && { tcp }) };
  }
  const family = isIpv4(partner.address) ? 4 : 6;
  const full = await measureFullSize(asker, { bytes: partner.packetBytes, family });
  const passing = full.arrived ? full.bytes : (full.largest ?? LEAST_PACKET_BYTES);
  const tcp = await proveTcp(proving, passing);
  const loss = await measureLoss(asker, { packets, perSecond: LOSS_PER_SECOND, clock, signal });
  return { both, full, tcp, loss };
}

const LEAST_PACKET_BYTES = 576;

/**
 * UDP's checksums are left to devices as well: only where segments with checksums of our own pass is it worth
 * waiting for a connection, to tell what is wrong with UDP.
 */
async function tcpWithoutUdp(proving: Proving): Promise<Findings["tcp"]> {
  const options = askerOptions(proving, proving.partner);
  const packetBytes = LEAST_PACKET_BYTES;
  const { sent, received } = await sendSoftwareSegments({ ...options, packetBytes });
  if (received === 0) return undefined;
  const { error: _, ...bulk } = await sendBulk({ ...options, withinMs: BULK_WITHIN_MS / 2 });
  return { ...bulk, software: { sent, received } };
}

async function proveTcp(proving: Proving, packetBytes: number): Promise<Findings["tcp"]> {
  const options = askerOptions(proving, proving.partner);
  const send = async () => {
    const { error: _, ...bulk } = await sendBulk({ ...options, withinMs: BULK_WITHIN_MS });
    return bulk;
  };
  let result = await send();
  if (result.completed && result.stallUs >= SUSPICIOUS_STALL_US) {
    // A process at either end may have waited for its CPU: a path that is bad is bad again.
    const again = await send();
    if (again.completed && again.stallUs < result.stallUs) result = again;
  }
  if (result.completed && result.stallUs < SUSPICIOUS_STALL_US) return result;
  const { sent, received } = await sendSoftwareSegments({ ...options, packetBytes });
  return { ...result, software: { sent, received } };
}

function askerOptions(options: ProofRoundOptions, partner: ProofPartner): ProbeAskerOptions {
  const { address, change, clock, key, namespace, node, port } = options;
  return {
    ...{ address, clock, key },
    peer: { address: partner.address, port },
    ...(namespace !== undefined && { namespace }),
    self: probeIdentity(node),
    partner: probeIdentity(partner.node),
    change: probeIdentity(change),
  };
}

/** Runs what finds something out about a partner, and reports it, or why nothing could be found out. */
async function withAsker(
  options: ProofRoundOptions,
  partner: ProofPartner,
  find: (asker: ProbeAsker) => Promise<Findings>,
): Promise<void> {
  const { node, encapsulation } = partner;
  let asker: ProbeAsker | undefined;
  let findings: Findings;
  try {
    asker = await ProbeAsker.open(askerOptions(options, partner));
    findings = await find(asker);
  } catch (error) {
    findings = { error: errorText(error) };
  } finally {
    asker?.close();
  }
  options.report({ node, encapsulation, ...findings });
}

/** Some at a time, in the order given; none after the signal. */
async function forEach<T>(
  items: readonly T[],
  atATime: number,
  signal: AbortSignal,
  body: (item: T) => Promise<void>,
): Promise<void> {
  const left = [...items];
  const worker = async () => {
    for (let item = left.shift(); item !== undefined && !signal.aborted; item = left.shift()) {
      await body(item);
    }
  };
  await Promise.all(Array.from({ length: atATime }, worker));
}
