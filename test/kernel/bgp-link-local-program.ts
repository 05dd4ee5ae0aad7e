/**
 * Run in a network namespace of its own: a speaker with two links, at the far end of each a peer of the same
 * link-local address. Prints as JSON what each of the three has learned, whoever dials.
 */

import { execFileSync } from "node:child_process";
import { type PeerConfig, Speaker } from "../../src/bgp/index.ts";
import { formatPrefix, ipAddress, ipv4, prefix, systemClock } from "../../src/lib/index.ts";
import { silentLog } from "../../src/lib/log/index.ts";

const PORT = 1179;
const NEAR = ipAddress("fe80::1");
const FAR = ipAddress("fe80::2");
const LONGEST_MS = 20_000;

function ip(...args: readonly string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "inherit"] });
}

for (const [near, far] of [
  ["v0", "v1"],
  ["w0", "w1"],
] as const) {
  ip("link", "add", near, "type", "veth", "peer", "name", far);
  for (const [device, address] of [
    [near, "fe80::1"],
    [far, "fe80::2"],
  ] as const) {
    ip("link", "set", device, "addrgenmode", "none", "up");
    ip("address", "add", `${address}/64`, "dev", device, "nodad");
  }
}

/** A speaker of this AS with these devices, each with a peer at the other end. */
function speaker(as: number, ends: readonly [device: string, remoteAs: number][], near: boolean) {
  const [localAddress, address] = near ? [NEAR, FAR] : [FAR, NEAR];
  const peers = ends.map(
    ([device, remoteAs]): PeerConfig => ({
      ...{ name: device, address, localAddress, device, port: PORT, remoteAs },
      ...{ families: ["ipv6-unicast"], connectRetrySeconds: 1 },
      passive: near === (process.argv[2] === "they dial"),
      bfd: {},
    }),
  );
  const config = {
    localAs: as,
    routerId: ipv4(`10.0.0.${as - 64512}`),
    listen: ends.map(([device]) => ({ addresses: [localAddress], port: PORT, device })),
    originate: [{ prefix: prefix(`fd00:${as - 64512}::/64`) }],
    peers,
  };
  return new Speaker({ clock: systemClock, log: silentLog, config });
}

const speakers = [
  speaker(
    64513,
    [
      ["v0", 64514],
      ["w0", 64515],
    ],
    true,
  ),
  speaker(64514, [["v1", 64513]], false),
  speaker(64515, [["w1", 64513]], false),
];
for (const each of speakers) await each.start();
const endMs = systemClock.monotonicMs() + LONGEST_MS;
const done = () =>
  speakers.every((each) => {
    return each.routes().length === 2 && each.peers().every(({ bfd }) => bfd?.state === "Up");
  });
while (!done() && systemClock.monotonicMs() < endMs) {
  await new Promise<void>((resolve) => systemClock.schedule(20, resolve));
}
const learned = speakers.map((each) => ({
  routes: each
    .routes()
    .map((route) => `${formatPrefix(route.prefix)} from ${route.peer}`)
    .sort(),
  bfd: each.peers().map(({ bfd }) => bfd?.state),
  errors: each.peers().map(({ lastError }) => lastError),
}));
process.stdout.write(JSON.stringify(learned));
process.exit(0);
