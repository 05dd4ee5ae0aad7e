/** How each subject of the BGP benchmark is told its role, and started in a network namespace. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AddressFamily } from "../src/bgp/index.ts";
import type { BgpCase } from "./bgp-cases.ts";
import {
  addressOf,
  type BenchPeer,
  feederOf,
  QUIET,
  QUIET_HOLD_SECONDS,
  QUIET_KEEPALIVE_SECONDS,
  quietFamily,
  RECEIVER,
  SUBJECT,
  SUBJECT_AS,
} from "./bgp-peers.ts";

export const subjectNames = ["switchyard", "bird", "frr", "gobgp"] as const;
export type SubjectName = (typeof subjectNames)[number];

/** Writes what the subject reads into the directory; returns the command that runs it in the foreground. */
export function prepareSubject(name: SubjectName, bgp: BgpCase, directory: string): string[] {
  const write = (text: string): string => {
    const file = join(directory, `${name}.conf`);
    writeFileSync(file, text, { mode: 0o644 });
    return file;
  };
  switch (name) {
    case "switchyard": {
      const program = join(import.meta.dirname, "../bin/switchyard");
      const socket = ["--socket", join(directory, "bgpd.sock"), "--log-level", "error"];
      return [program, "bgpd", "-c", write(switchyardConfig(bgp)), ...socket];
    }
    case "bird":
      return ["bird", "-f", "-c", write(birdConfig(bgp)), "-s", join(directory, "bird.ctl")];
    case "frr": {
      const places = ["-i", join(directory, "frr.pid"), "--vty_socket", directory];
      // Without a kernel's or zebra's table, as the others; without the daemon's own user.
      return [
        "/usr/lib/frr/bgpd",
        "-f",
        write(frrConfig(bgp)),
        "-Z",
        "-n",
        "-S",
        "-P",
        "0",
        ...places,
      ];
    }
    case "gobgp":
      return [
        "gobgpd",
        "-f",
        write(gobgpConfig(bgp)),
        "-t",
        "toml",
        "--pprof-disable",
        "-l",
        "warn",
      ];
  }
}

interface Neighbour {
  readonly name: string;
  readonly address: string;
  /** The subject's, towards it. */
  readonly localAddress: string;
  readonly as: number;
  readonly family: AddressFamily;
  readonly client: boolean;
  readonly quiet: boolean;
}

function neighbours(bgp: BgpCase): Neighbour[] {
  const { family } = bgp;
  const known = (name: string, peer: BenchPeer): Neighbour => ({
    ...{ name, address: addressOf(peer, family), localAddress: addressOf(SUBJECT, family) },
    ...{ as: peer.as, family, client: false, quiet: false },
  });
  const over = "ipv4-unicast";
  return [
    known("receiver", RECEIVER),
    {
      ...known("quiet", QUIET),
      ...{ address: addressOf(QUIET, over), localAddress: addressOf(SUBJECT, over) },
      ...{ family: quietFamily(bgp), quiet: true },
    },
    ...Array.from({ length: bgp.feeders }, (_, i) => ({
      ...known(`feeder${i}`, feederOf(bgp, i)),
      client: bgp.shape === "reflector",
    })),
  ];
}

function switchyardConfig(bgp: BgpCase): string {
  const peer = ({ name, address, localAddress, as, family, client, quiet }: Neighbour) => ({
    ...{ name, address, localAddress, remoteAs: as, passive: true, families: [family] },
    ...(client && { routeReflectorClient: true }),
    ...(quiet && {
      holdTimeSeconds: QUIET_HOLD_SECONDS,
      keepaliveSeconds: QUIET_KEEPALIVE_SECONDS,
    }),
  });
  const config = {
    localAs: SUBJECT_AS,
    routerId: SUBJECT.identifier,
    listen: [{ port: 179 }],
    peers: neighbours(bgp).map(peer),
  };
  return JSON.stringify(config, undefined, 2);
}

function birdConfig(bgp: BgpCase): string {
  const protocol = ({ name, address, localAddress, as, family, client, quiet }: Neighbour) => `
protocol bgp ${name} {
  local ${localAddress} as ${SUBJECT_AS};
  neighbor ${address} as ${as};
  direct;
  passive;
  ${client ? "rr client;" : ""}
  ${quiet ? `hold time ${QUIET_HOLD_SECONDS}; keepalive time ${QUIET_KEEPALIVE_SECONDS};` : ""}
  ${family === "ipv6-unicast" ? "ipv6" : "ipv4"} { import all; export all; };
}`;
  return `router id ${SUBJECT.identifier};
protocol device {}
${neighbours(bgp).map(protocol).join("")}
`;
}

function frrConfig(bgp: BgpCase): string {
  const all = neighbours(bgp);
  const session = ({ address, as, quiet }: Neighbour) => [
    ` neighbor ${address} remote-as ${as}`,
    ` neighbor ${address} passive`,
    // 30 s for internal peers in other daemons; here 0 for all of them.
    ` neighbor ${address} advertisement-interval 0`,
    ...(quiet
      ? [` neighbor ${address} timers ${QUIET_KEEPALIVE_SECONDS} ${QUIET_HOLD_SECONDS}`]
      : []),
  ];
  const inFamily = ({ address, client }: Neighbour) => [
    `  neighbor ${address} activate`,
    ...(client ? [`  neighbor ${address} route-reflector-client`] : []),
  ];
  const of = (family: AddressFamily) =>
    all.filter((each) => each.family === family).flatMap(inFamily);
  return [
    "hostname subject",
    `router bgp ${SUBJECT_AS}`,
    ` bgp router-id ${SUBJECT.identifier}`,
    " no bgp ebgp-requires-policy",
    " no bgp default ipv4-unicast",
    // Else a new session waits for a second and 50 ms more for each other one, without work.
    " coalesce-time 0",
    ...all.flatMap(session),
    " address-family ipv4 unicast",
    ...of("ipv4-unicast"),
    " exit-address-family",
    " address-family ipv6 unicast",
    ...of("ipv6-unicast"),
    " exit-address-family",
    "",
  ].join("\n");
}

function gobgpConfig(bgp: BgpCase): string {
  const timers = `[neighbors.timers.config]
    hold-time = ${QUIET_HOLD_SECONDS}
    keepalive-interval = ${QUIET_KEEPALIVE_SECONDS}`;
  const reflector = `[neighbors.route-reflector.config]
    route-reflector-client = true
    route-reflector-cluster-id = "${SUBJECT.identifier}"`;
  const neighbour = ({ address, localAddress, as, family, client, quiet }: Neighbour) => `
[[neighbors]]
  [neighbors.config]
    neighbor-address = "${address}"
    peer-as = ${as}
  [neighbors.transport.config]
    passive-mode = true
    local-address = "${localAddress}"
  ${quiet ? timers : ""}
  ${client ? reflector : ""}
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "${family}"
`;
  return `[global.config]
  as = ${SUBJECT_AS}
  router-id = "${SUBJECT.identifier}"
${neighbours(bgp).map(neighbour).join("")}`;
}
