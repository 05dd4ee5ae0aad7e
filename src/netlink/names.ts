/** Numbers the kernel uses and the names iproute2 prints for them. */

import { SwitchyardError } from "../lib/index.ts";

/** A small two-way table; a number without a name is written in digits, as iproute2 does. */
export class Names {
  readonly #what: string;
  readonly #byNumber: ReadonlyMap<number, string>;
  readonly #byName: ReadonlyMap<string, number>;

  constructor(what: string, names: Readonly<Record<number, string>>) {
    this.#what = what;
    const entries = Object.entries(names).map(([number, name]) => [Number(number), name] as const);
    this.#byNumber = new Map(entries);
    this.#byName = new Map(entries.map(([number, name]) => [name, number]));
  }

  name(number: number): string {
    return this.#byNumber.get(number) ?? String(number);
  }

  /** @throws INVALID_ARGUMENT for text that is neither a name of this table nor digits. */
  number(name: string): number {
    const number = this.#byName.get(name);
    if (number !== undefined) return number;
    if (/^[0-9]+$/.test(name)) return Number(name);
    throw new SwitchyardError("INVALID_ARGUMENT", `not a ${this.#what}: ${JSON.stringify(name)}`);
  }
}

/** The names of all values of a byte, for those who read many. */
function byteNames(names: Names): readonly string[] {
  return Array.from({ length: 256 }, (_, number) => names.name(number));
}

/** RTPROT_*: who installed a route (Debian's /etc/iproute2/rt_protos). */
export const routeProtocols = new Names("route protocol", {
  0: "unspec",
  1: "redirect",
  2: "kernel",
  3: "boot",
  4: "static",
  8: "gated",
  9: "ra",
  10: "mrt",
  11: "zebra",
  12: "bird",
  13: "dnrouted",
  14: "xorp",
  15: "ntk",
  16: "dhcp",
  18: "keepalived",
  42: "babel",
  186: "bgp",
  187: "isis",
  188: "ospf",
  189: "rip",
  192: "eigrp",
});

/** RT_SCOPE_*. */
export const scopes = new Names("route scope", {
  0: "global",
  200: "site",
  253: "link",
  254: "host",
  255: "nowhere",
});

export const routeTables = new Names("routing table", {
  253: "default",
  254: "main",
  255: "local",
});

/** RTN_*. */
export const routeTypes = new Names("route type", {
  1: "unicast",
  2: "local",
  3: "broadcast",
  4: "anycast",
  5: "multicast",
  6: "blackhole",
  7: "unreachable",
  8: "prohibit",
  9: "throw",
  10: "nat",
  11: "xresolve",
});

export const scopeNames = byteNames(scopes);
export const routeTypeNames = byteNames(routeTypes);

/** NUD_*. */
export const neighbourStates = new Names("neighbour state", {
  0: "none",
  1: "incomplete",
  2: "reachable",
  4: "stale",
  8: "delay",
  16: "probe",
  32: "failed",
  64: "noarp",
  128: "permanent",
});

/** IF_OPER_* (RFC 2863). */
export const operStates = new Names("operational state", {
  0: "UNKNOWN",
  1: "NOTPRESENT",
  2: "DOWN",
  3: "LOWERLAYERDOWN",
  4: "TESTING",
  5: "DORMANT",
  6: "UP",
});

/** Bits of a flag word as names, in order of the bits; bits without a name are left out. */
export function flagNames(
  flags: number,
  names: readonly (readonly [bit: number, name: string])[],
): string[] {
  return names.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name);
}
