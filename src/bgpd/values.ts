/** Values of the configuration file: text as people write it, turned into what the speaker takes. */

import { z } from "zod";
import type { LargeCommunity } from "../bgp/index.ts";
import { parseAddress, parseIpv4, parsePrefix } from "../lib/index.ts";

/** Text that one function reads; `what` names it where it cannot. */
function textOf<T>(what: string, parse: (text: string) => T | undefined) {
  return z.string().transform((text, context): T => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.issues.push({
      ...{ code: "custom", input: text, message: `${JSON.stringify(text)} is no ${what}` },
    });
    return z.NEVER;
  });
}

export const address = textOf("IP address", parseAddress);
export const identifier = textOf("IPv4 address", parseIpv4);
export const prefix = textOf("prefix", parsePrefix);

/** RFC 1997, RFC 7999, RFC 8326, RFC 9494. */
const wellKnown: Readonly<Record<string, number>> = {
  "no-export": 0xffffff01,
  "no-advertise": 0xffffff02,
  "no-export-subconfed": 0xffffff03,
  blackhole: 0xffff029a,
  "graceful-shutdown": 0xffff0000,
  "llgr-stale": 0xffff0006,
  "no-llgr": 0xffff0007,
};

export const community = textOf("community, as in 65000:1 or no-export", (text) => {
  const parts = numbersOf(text, { count: 2, largest: 0xffff });
  return parts === undefined ? wellKnown[text] : parts[0]! * 0x10000 + parts[1]!;
});

export const largeCommunity = textOf("large community, as in 65000:1:2", (text) => {
  return numbersOf(text, { count: 3, largest: 0xffffffff }) as LargeCommunity | undefined;
});

function numbersOf(
  text: string,
  { count, largest }: { readonly count: number; readonly largest: number },
): readonly number[] | undefined {
  const parts = text.split(":");
  if (parts.length !== count || !parts.every((part) => /^\d{1,10}$/.test(part))) return undefined;
  const numbers = parts.map(Number);
  return numbers.every((number) => number <= largest) ? numbers : undefined;
}

export const whole = z.int();
