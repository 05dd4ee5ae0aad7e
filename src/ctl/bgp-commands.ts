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

export const bgpCommands: readonly CommandSpec[] = [
  {
    name: "bgp",
    description: "What the BGP speaker of this machine knows",
    commands: [
      {
        name: "peers",
        usage: "[PEER]",
        description: "Show the peers, the state of each session, and why it ended before",
        flags: [...where, output("text, wide or json")],
        maximumArgs: 1,
        load: async () => (await import("./commands/bgp-peers.ts")).bgpPeers,
      },
      {
        name: "routes",
        usage: "[best|in|out] [PREFIX]",
        description: "Show routes: the best ones, or as received from or sent to a peer",
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
        flags: [...where, output("text or json")],
        exactArgs: 1,
        load: async () => (await import("./commands/bgp-why.ts")).bgpWhy,
      },
      {
        name: "messages",
        usage: "PEER",
        description: "Show the last messages from and to a peer, or dump them",
        flags: [...where, output("text, wide, json, mrt or pcap")],
        exactArgs: 1,
        load: async () => (await import("./commands/bgp-messages.ts")).bgpMessages,
      },
    ],
  },
  {
    name: "bgpd",
    description: "Run the BGP speaker as a daemon of its own, by a configuration file",
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
