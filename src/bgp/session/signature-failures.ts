/**
 * What the kernel drops for its TCP MD5 signature, it drops without a word to us. It counts, for the network
 * namespace: /proc/net/netstat, names in one line and values in the next (net/ipv4/proc.c).
 */

import { readFileSync } from "node:fs";
import type { SignatureFailures } from "../types.ts";

const NETSTAT = "/proc/thread-self/net/netstat";

/** `undefined` on a kernel without TCP MD5. */
export function kernelSignatureFailures(path = NETSTAT): SignatureFailures | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
  const [names, values] = text.split("\n").filter((line) => line.startsWith("TcpExt: "));
  const places = names?.split(" ");
  const numbers = values?.split(" ");
  const count = (name: string) => Number(numbers?.[places?.indexOf(`TCPMD5${name}`) ?? -1]);
  const found = {
    wrong: count("Failure"),
    missing: count("NotFound"),
    unexpected: count("Unexpected"),
  };
  return Number.isNaN(found.wrong + found.missing + found.unexpected) ? undefined : found;
}
