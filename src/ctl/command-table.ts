/** Names, flags and texts of every command; the module that runs it is loaded when it is run. */

import { bgpCommands } from "./bgp-commands.ts";
import { defaultConfigPath, defaultSocketPath } from "./config.ts";
import type { CtlContext } from "./context.ts";

export interface Flag {
  /** As commander writes it: `-f, --filename <path>`. */
  readonly flags: string;
  readonly description: string;
  readonly default?: string;
  readonly hidden?: boolean;
}

type Run = (args: readonly string[], options: never, context: CtlContext) => Promise<void>;

interface Described {
  readonly name: string;
  readonly usage?: string;
  readonly description: string;
  /** More, for who asks for help. */
  readonly details?: string;
  readonly flags?: readonly Flag[];
  readonly exactArgs?: number;
  readonly minimumArgs?: number;
  readonly maximumArgs?: number;
}

export type CommandSpec = Described &
  (
    | { readonly load: () => Promise<Run>; readonly commands?: never }
    | { readonly commands: readonly CommandSpec[]; readonly load?: never }
  );

export const globalFlags: readonly Flag[] = [
  {
    flags: "-l, --log-level <level>",
    description: "Set the log level: panic, fatal, error, warn, info, debug",
  },
  { flags: "--context <name>", description: "The name of the kubeconfig context to use" },
  {
    flags: "--allow-version-mismatch",
    description: "Allow client and cluster versions mismatch",
  },
];

const config: readonly Flag[] = [
  {
    flags: "-c, --config <path>",
    description: "Path to the file with the connection configuration",
    default: defaultConfigPath,
  },
  { flags: "-n, --namespace <name>", description: "Namespace of the resource" },
];

const crud: readonly Flag[] = [
  {
    flags: "-f, --filename <path>",
    description: "File or directory with resources; - loads from stdin",
  },
  {
    flags: "-R, --recursive",
    description: "Process the directory of --filename recursively",
  },
  {
    flags: "--skip-empty",
    description: "Do not error if no resources are specified in a file or directory",
  },
  ...config,
];

const textOrJson: Flag = {
  flags: "-o, --output <format>",
  description: "text or json",
  default: "text",
};

const modeFlags: readonly Flag[] = [
  ...config.slice(0, 1),
  {
    flags: "--to <mode>",
    description: "New mode: ipip, ipip-cross-subnet, vxlan, vxlan-cross-subnet, none",
  },
  {
    flags: "--mesh <state>",
    description: "Instead of a pool: the BGP node-to-node mesh, on or off",
  },
  { flags: "--accept <codes>", description: "Codes of traps, by commas, that refuse nothing" },
  { flags: "--seed <number>", description: "Of the random choice of pairs of nodes and of waves" },
  textOrJson,
];

const changeFlags: readonly Flag[] = [
  ...modeFlags.slice(0, 4),
  { flags: "--canary <nodes>", description: "How many nodes move first, alone; 0: none" },
  { flags: "--wave <nodes>", description: "How many move at a time after them: 8, or 25%" },
  {
    flags: "--blocks <cidrs>",
    description: "These blocks of the pool go first, one by one, from every node; by commas",
  },
  {
    flags: "--confirm-within <duration>",
    description: "How long it waits to be confirmed before it goes back: 90s, 10m",
  },
  { flags: "--yes", description: "Confirm from the start: nobody is waited for" },
  { flags: "--skip-proof", description: "Move without proof; needs --reason" },
  { flags: "--reason <words>", description: "Why without proof: kept with the change" },
  {
    flags: "--watch",
    description: "Look on until the end, not only until it waits to be confirmed",
  },
  ...modeFlags.slice(4),
];

const wordFlags: readonly Flag[] = [
  ...config.slice(0, 1),
  { flags: "--watch", description: "Look on until the change has ended" },
];

const write = () => import("./commands/write.ts");

export const commandTable: readonly CommandSpec[] = [
  {
    name: "create",
    description: "Create a resource by file, directory or stdin",
    flags: [
      ...crud,
      { flags: "--skip-exists", description: "Treat resources that exist as created" },
    ],
    load: async () => (await write()).create,
  },
  {
    name: "apply",
    description: "Apply a resource by file, directory or stdin",
    flags: crud,
    load: async () => (await write()).apply,
  },
  {
    name: "replace",
    description: "Replace a resource by file, directory or stdin",
    flags: crud,
    load: async () => (await write()).replace,
  },
  {
    name: "delete",
    usage: "[KIND [NAME...]]",
    description: "Delete a resource by file, directory, stdin, or type and name",
    flags: [
      ...crud,
      {
        flags: "-s, --skip-not-exists",
        description: "Treat resources that do not exist as deleted",
      },
    ],
    load: async () => (await write()).remove,
  },
  {
    name: "get",
    usage: "[KIND [NAME...]]",
    description: "Get a resource by file, directory, stdin, or type and name",
    flags: [
      ...crud,
      {
        flags: "-o, --output <format>",
        description: "One of ps, wide, custom-columns=COLUMN,..., yaml, json",
        default: "ps",
      },
      { flags: "-A, --all-namespaces", description: "Show the resources of all namespaces" },
      { flags: "-a, --all-namespaces-a", description: "Same as -A", hidden: true },
      { flags: "--export", description: "Leave out what belongs to this cluster only" },
    ],
    load: async () => (await import("./commands/get.ts")).get,
  },
  {
    name: "patch",
    usage: "KIND NAME",
    description: "Patch a pre-existing resource in place",
    flags: [
      ...config,
      { flags: "-p, --patch <json>", description: "What to change, as JSON" },
      {
        flags: "-t, --type <type>",
        description: "Every type is applied as a strategic merge patch",
        default: "strategic",
      },
    ],
    exactArgs: 2,
    load: async () => (await import("./commands/patch.ts")).patch,
  },
  {
    name: "label",
    usage: "KIND NAME [key=value | key]",
    description: "Add or update labels of resources",
    flags: [
      ...config,
      { flags: "--overwrite", description: "Overwrite a label that is already present" },
      { flags: "--remove", description: "Remove the label" },
    ],
    minimumArgs: 3,
    load: async () => (await import("./commands/label.ts")).label,
  },
  {
    name: "validate",
    description: "Validate a resource by file, directory or stdin without applying it",
    flags: crud,
    load: async () => (await import("./commands/validate.ts")).validate,
  },
  {
    name: "version",
    description: "Display the version of this binary",
    flags: [
      ...config.slice(0, 1),
      { flags: "--client", description: "Display the client version only" },
      { flags: "--poll <duration>", description: "Repeat, printing what changed" },
    ],
    load: async () => (await import("./commands/version.ts")).version,
  },
  {
    name: "node",
    description: "Calico node management",
    commands: [
      {
        name: "status",
        description: "View the current status of a Calico node",
        flags: [
          { flags: "--node <name>", description: "Node whose agent is asked, if several run here" },
          { flags: "-o, --output <format>", description: "ps or json", default: "ps" },
        ],
        load: async () => (await import("./commands/node-status.ts")).nodeStatus,
      },
      {
        name: "diff",
        description: "Compare what is planned for a node with what its kernel holds",
        flags: [
          { flags: "--node <name>", description: "Node whose agent is asked, if several run here" },
          { flags: "-o, --output <format>", description: "text or json", default: "text" },
        ],
        load: async () => (await import("./commands/node-diff.ts")).nodeDiff,
      },
    ],
  },
  {
    name: "mode",
    description: "The network mode of the pools, over the whole cluster",
    commands: [
      {
        name: "status",
        description:
          "Show what each node accepts, sends and has realised; exit code 1 until all have",
        flags: [
          ...config.slice(0, 1),
          { flags: "-o, --output <format>", description: "text or json", default: "text" },
        ],
        load: async () => (await import("./commands/mode-status.ts")).modeStatusCommand,
      },
      {
        name: "plan",
        usage: "POOL --to MODE | --mesh on|off",
        description:
          "Show what a change of a pool's mode, or of the mesh, would do and trip over; changes nothing",
        flags: [...modeFlags.slice(0, 4), ...modeFlags.slice(-2)],
        maximumArgs: 1,
        load: async () => (await import("./commands/mode-plan.ts")).modePlanCommand,
      },
      {
        name: "prove",
        usage: "POOL --to MODE",
        description: "Prove by packets that a pool could change its mode; nothing moves",
        flags: [...modeFlags.slice(0, 4), ...modeFlags.slice(-2)],
        maximumArgs: 1,
        load: async () => (await import("./commands/mode-change.ts")).modeProveCommand,
      },
      {
        name: "change",
        usage: "POOL --to MODE | --mesh on|off",
        description:
          "Change the mode of a pool, or the mesh: prove, move in waves, wait to be confirmed",
        flags: changeFlags,
        maximumArgs: 1,
        load: async () => (await import("./commands/mode-change.ts")).modeChangeCommand,
      },
      {
        name: "confirm",
        usage: "ID",
        description: "Confirm a change: it is completed instead of going back",
        flags: wordFlags,
        exactArgs: 1,
        load: async () => (await import("./commands/mode-word.ts")).modeConfirm,
      },
      {
        name: "rollback",
        usage: "ID",
        description: "Let a change go back",
        flags: wordFlags,
        exactArgs: 1,
        load: async () => (await import("./commands/mode-word.ts")).modeRollback,
      },
      {
        name: "pause",
        usage: "ID",
        description: "Let no further node move",
        flags: config.slice(0, 1),
        exactArgs: 1,
        load: async () => (await import("./commands/mode-word.ts")).modePause,
      },
      {
        name: "resume",
        usage: "ID",
        description: "Let a paused change go on",
        flags: config.slice(0, 1),
        exactArgs: 1,
        load: async () => (await import("./commands/mode-word.ts")).modeResume,
      },
      {
        name: "history",
        usage: "[POOL]",
        description: "List the mode changes, plain patches included",
        flags: [...config.slice(0, 1), textOrJson],
        load: async () => (await import("./commands/mode-history.ts")).modeHistory,
      },
      {
        name: "show",
        usage: "ID",
        description: "Show all that is known of a change",
        flags: [
          ...config.slice(0, 1),
          { flags: "--watch", description: "Look on until the change has ended" },
          textOrJson,
        ],
        exactArgs: 1,
        load: async () => (await import("./commands/mode-show.ts")).modeShow,
      },
    ],
  },
  ...bgpCommands,
  {
    name: "server",
    description: "Run the API server with its embedded store",
    flags: [
      {
        flags: "--socket <path>",
        description: "Unix socket to listen on",
        default: defaultSocketPath,
      },
      {
        flags: "--database <path>",
        description: "File of the embedded store",
        default: "/var/lib/switchyard/switchyard.db",
      },
    ],
    load: async () => (await import("./commands/server.ts")).server,
  },
  {
    name: "agent",
    description: "Run the agent of a node",
    flags: [
      { flags: "--node <name>", description: "Name of the node (default: the name of the host)" },
      {
        flags: "--socket <path>",
        description: `Unix socket of the API server (default: ${defaultSocketPath})`,
      },
      {
        flags: "--state-dir <path>",
        description: "Directory of the agent's socket (default: /run/switchyard/NODE)",
      },
      {
        flags: "--secrets-dir <path>",
        description: "Directory of the passwords of BGP sessions, each a file SECRET/KEY",
        default: "/etc/switchyard/secrets",
      },
      {
        flags: "--mtu-file <path>",
        description: "File that tells a CNI plugin the MTU of new pods",
        default: "/var/lib/calico/mtu",
      },
      {
        flags: "--pod-mtu <how>",
        description: "MTU of running pods: live (follows the mode) or fixed (as they were made)",
        default: "live",
      },
      {
        flags: "--drain <duration>",
        description: "How long an encapsulation that nobody sends any more is still received",
        default: "5s",
      },
    ],
    load: async () => (await import("./commands/agent.ts")).agent,
  },
  {
    name: "demo",
    description: "Change the mode of a live lab, by patches and by proof, and count every packet",
    flags: [
      { flags: "--json <path>", description: "Write the facts to this file as JSON" },
      { flags: "--keep", description: "Leave the lab running" },
    ],
    load: async () => (await import("./commands/demo.ts")).demo,
  },
];
