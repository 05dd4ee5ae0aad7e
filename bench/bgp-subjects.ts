/** How each subject of the BGP benchmark is told its role, and started in a network namespace. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type BgpCase,
  feederAddress,
  feederAs,
  QUIET,
  QUIET_HOLD_SECONDS,
  QUIET_KEEPALIVE_SECONDS,
  RECEIVER,
  SUBJECT_ADDRESS,
  SUBJECT_AS,
} from "./bgp-cases.ts";

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
      const program = join(import.meta.dirname, "bgp-speaker.ts");
      // As `bin/switchyard` does: types are not stripped again at each start.
      const cache = join(import.meta.dirname, "../node_modules/.cache/switchyard");
      const node = ["env", `NODE_COMPILE_CACHE=${cache}`, process.execPath];
      return [...node, program, JSON.stringify(bgp)];
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
  readonly as: number;
  readonly client: boolean;
  readonly quiet: boolean;
}

function neighbours(bgp: BgpCase): Neighbour[] {
  const client = bgp.shape === "reflector";
  const feeders = Array.from({ length: bgp.feeders }, (_, i) => ({
    ...{ name: `feeder${i}`, address: feederAddress(i), as: feederAs(bgp, i) },
    ...{ client, quiet: false },
  }));
  return [
    { name: "receiver", ...RECEIVER, client: false, quiet: false },
    { name: "quiet", ...QUIET, client: false, quiet: true },
    ...feeders,
  ];
}

function birdConfig(bgp: BgpCase): string {
  const protocol = ({ name, address, as, client, quiet }: Neighbour) => `
protocol bgp ${name} {
  local ${SUBJECT_ADDRESS} as ${SUBJECT_AS};
  neighbor ${address} as ${as};
  direct;
  passive;
  ${client ? "rr client;" : ""}
  ${quiet ? `hold time ${QUIET_HOLD_SECONDS}; keepalive time ${QUIET_KEEPALIVE_SECONDS};` : ""}
  ${quiet ? "ipv6" : "ipv4"} { import all; export all; };
}`;
  return `router id ${SUBJECT_ADDRESS};
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
  const of = (quiet: boolean) => all.filter((each) => each.quiet === quiet).flatMap(inFamily);
  return [
    "hostname subject",
    `router bgp ${SUBJECT_AS}`,
    ` bgp router-id ${SUBJECT_ADDRESS}`,
    " no bgp ebgp-requires-policy",
    " no bgp default ipv4-unicast",
    ...all.flatMap(session),
    " address-family ipv4 unicast",
    ...of(false),
    " exit-address-family",
    " address-family ipv6 unicast",
    ...of(true),
    " exit-address-family",
    "",
  ].join("\n");
}

function gobgpConfig(bgp: BgpCase): string {
  const neighbour = ({ address, as, client, quiet }: Neighbour) => `
[[neighbors]]
  [neighbors.config]
    neighbor-address = "${address}"
    peer-as = ${as}
  [neighbors.transport.config]
    passive-mode = true
    local-address = "${SUBJECT_ADDRESS}"
  ${quiet ? `[neighbors.timers.config]\n    hold-time = ${QUIET_HOLD_SECONDS}\n    keepalive-interval = ${QUIET_KEEPALIVE_SECONDS}` : ""}
  ${client ? `[neighbors.route-reflector.config]\n    route-reflector-client = true\n    route-reflector-cluster-id = "${SUBJECT_ADDRESS}"` : ""}
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "${quiet ? "ipv6" : "ipv4"}-unicast"
`;
  return `[global.config]
  as = ${SUBJECT_AS}
  router-id = "${SUBJECT_ADDRESS}"
${neighbours(bgp).map(neighbour).join("")}`;
}
