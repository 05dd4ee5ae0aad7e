/** Names, flags and texts of the `bgp` commands, and of the speaker as a daemon. */

import { defaultBgpdSocketPath } from "./bgp/default-socket.ts";
import type { CommandSpec, Flag } from "./command-table.ts";

const where: readonly Flag[] = [
  { flags: "--node <name>", description: "Node whose agent is asked, if several run here" },
  { flags: "--socket <path>", description: "Socket of the agent or bgpd that is asked" },
];

const output = (description: string): Flag => ({
  ...{ flags: "-o, --output <format>", description, default: "text" },
});

const bgpdDetails = `The least that speaks; docs/reference/bgpd.md has all fields:

    localAs: 65001
    routerId: 192.0.2.1
    listen: [{ port: 179 }]
    peers:
      - { name: router, address: 192.0.2.2, remoteAs: 65000 }
    originate:
      - prefix: 198.51.100.0/24

SIGHUP takes the file again; sessions whose settings are the same stay.
SIGTERM stops for a restart: peers that know graceful restart keep the routes.
SIGQUIT is the end: peers are told, and drop the routes.
What it does is shown by the commands of "switchyard bgp".`;

export const bgpCommands: readonly CommandSpec[] = [
  {
    name: "bgp",
    description: "What the BGP speaker of this machine knows",
    commands: [
      {
        name: "peers",
        usage: "[PEER]",
        description: "Show the peers, the state of each session, and why it ended before",
        details: `PEER is a name or an address. RECEIVED, ACCEPTED and SENT are routes; INFO says why it is down.

  switchyard bgp peers                    a row for each
  switchyard bgp peers 10.0.0.2 -o wide   all that is known of one, and how its last sessions ended`,
        flags: [...where, output("text, wide or json")],
        maximumArgs: 1,
        load: async () => (await import("./commands/bgp-peers.ts")).bgpPeers,
      },
      {
        name: "routes",
        usage: "[best|in|out] [PREFIX]",
        description: "Show routes: the best ones, or as received from or sent to a peer",
        details: `  switchyard bgp routes                            what is chosen, without what is originated here
  switchyard bgp routes 10.1.2.3                   by which routes an address is reached
  switchyard bgp routes 10.0.0.0/8 --match within  all inside it
  switchyard bgp routes in --peer 10.0.0.2         what a peer has told, before the import policy
  switchyard bgp routes out 10.1.0.0/16 -o wide    who has been told of it, with communities`,
        flags: [
          ...where,
          { flags: "--peer <name>", description: "Of this peer only, by name or address" },
          {
            flags: "--match <how>",
            description:
              "exact (as for a prefix), covering (as for an address), or within: it and all inside it",
          },
          output("text, wide or json"),
        ],
        maximumArgs: 2,
        load: async () => (await import("./commands/bgp-routes.ts")).bgpRoutes,
      },
      {
        name: "why",
        usage: "PREFIX",
        description: "Show all paths to a prefix, why each is or is not the best, and who is told",
        details: `  switchyard bgp why 10.1.0.0/16
  switchyard bgp why 10.1.2.3      the prefix by which its packets go`,
        flags: [...where, output("text or json")],
        exactArgs: 1,
        load: async () => (await import("./commands/bgp-why.ts")).bgpWhy,
      },
      {
        name: "messages",
        usage: "PEER",
        description: "Show the last messages from and to a peer, or dump them",
        details: `  switchyard bgp messages 10.0.0.2
  switchyard bgp messages 10.0.0.2 -o pcap >session.pcap   for tcpdump and Wireshark
  switchyard bgp messages 10.0.0.2 -o mrt >session.mrt     for bgpdump and others (RFC 6396)`,
        flags: [...where, output("text, wide, json, mrt or pcap")],
        exactArgs: 1,
        load: async () => (await import("./commands/bgp-messages.ts")).bgpMessages,
      },
    ],
  },
  {
    name: "bgpd",
    description: "Run the BGP speaker as a daemon of its own, by a configuration file",
    details: bgpdDetails,
    flags: [
      { flags: "-c, --config <path>", description: "The configuration file, YAML or JSON" },
      { flags: "--check", description: "Only read the file, and say what is wrong with it" },
      {
        flags: "--socket <path>",
        description: "Control socket",
        default: defaultBgpdSocketPath,
      },
    ],
    load: async () => (await import("./commands/bgpd.ts")).bgpd,
  },
];
