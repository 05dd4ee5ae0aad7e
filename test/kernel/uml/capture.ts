/** tcpdump in a namespace, and the IPv4 packets it saw. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../src/lib/index.ts";

const PCAP_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const ETHERNET_BYTES = 14;

/** Both headers of an IP-in-IP packet, as bytes say. */
export interface IpipPacket {
  readonly outer: Ipv4Header;
  readonly inner: Ipv4Header;
}

export interface Ipv4Header {
  readonly version: number;
  readonly headerWords: number;
  readonly tos: number;
  readonly totalBytes: number;
  readonly dontFragment: boolean;
  readonly fragment: boolean;
  readonly ttl: number;
  readonly protocol: number;
  readonly checksumGood: boolean;
  readonly source: string;
  readonly destination: string;
}

export function decodeIpv4Header(bytes: Buffer): Ipv4Header {
  const headerWords = (bytes[0] ?? 0) & 15;
  let sum = 0;
  for (let offset = 0; offset < headerWords * 4; offset += 2) sum += bytes.readUInt16BE(offset);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  const fragment = bytes.readUInt16BE(6);
  return {
    version: (bytes[0] ?? 0) >>> 4,
    headerWords,
    tos: bytes[1] ?? 0,
    totalBytes: bytes.readUInt16BE(2),
    dontFragment: (fragment & 0x4000) !== 0,
    fragment: (fragment & 0x3fff) !== 0,
    ttl: bytes[8] ?? 0,
    protocol: bytes[9] ?? 0,
    checksumGood: sum === 0xffff,
    source: bytes.subarray(12, 16).join("."),
    destination: bytes.subarray(16, 20).join("."),
  };
}

export interface CaptureOptions {
  /** Path of the namespace. */
  readonly namespace: string;
  readonly device: string;
  /** Ends the capture. */
  readonly packets: number;
}

/** How long the last packets may take to arrive at tcpdump. */
const GIVE_UP_MS = 5000;

/** Starts to capture protocol 4; once it listens, a function that waits for the packets, in order. */
export async function captureIpip(options: CaptureOptions): Promise<() => Promise<IpipPacket[]>> {
  const directory = mkdtempSync(join(tmpdir(), "switchyard-capture-"));
  const file = join(directory, "pcap");
  // -Z root: else tcpdump gives up the right to write into a directory of root's.
  const how = ["-Z", "root", "--immediate-mode", "-n", "-U", "-s", "128", "-w", file];
  const what = ["-c", String(options.packets), "-i", options.device, "proto", "4"];
  const child = spawn("nsenter", [`--net=${options.namespace}`, "tcpdump", ...how, ...what], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exit = once(child, "exit");
  let said = "";
  while (!said.includes("listening on")) {
    const [chunk] = await Promise.race([once(child.stderr, "data"), exit]);
    if (!Buffer.isBuffer(chunk)) throw new Error(`tcpdump on ${options.device}: ${said}`);
    said += chunk;
  }
  return async () => {
    const timer = systemClock.schedule(GIVE_UP_MS, () => child.kill("SIGINT"));
    await exit;
    timer.cancel();
    const packets = decodePcap(readFileSync(file));
    rmSync(directory, { recursive: true });
    return packets;
  };
}

function decodePcap(bytes: Buffer): IpipPacket[] {
  const packets: IpipPacket[] = [];
  let offset = PCAP_HEADER_BYTES;
  while (offset + RECORD_HEADER_BYTES <= bytes.length) {
    const length = bytes.readUInt32LE(offset + 8);
    const frame = bytes.subarray(
      offset + RECORD_HEADER_BYTES,
      offset + RECORD_HEADER_BYTES + length,
    );
    const outer = decodeIpv4Header(frame.subarray(ETHERNET_BYTES));
    const inner = frame.subarray(ETHERNET_BYTES + outer.headerWords * 4);
    packets.push({ outer, inner: decodeIpv4Header(inner) });
    offset += RECORD_HEADER_BYTES + length;
  }
  return packets;
}
