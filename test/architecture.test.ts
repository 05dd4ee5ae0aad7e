/**
 * Holds the layout of design.md section 4: which room may use which, why, and what each may load.
 * A new arrow between rooms is a decision: it is made here, with its reason.
 */

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, test } from "node:test";

const root = resolve(import.meta.dirname, "..");

interface Room {
  readonly name: string;
  readonly uses: readonly string[];
  /** Why it may use these and no other. */
  readonly reason: string;
  /** No `node:` module and no npm package but those named: what it computes depends on nothing else. */
  readonly pure?: boolean;
}

const foundation = ["lib", "lib/log", "lib/socket", "lib/sys"];

/** From the front ends down; a room uses only rooms that stand below it. */
const rooms: readonly Room[] = [
  {
    name: "ctl",
    uses: [
      "lab/demo",
      "lab",
      "bgpd",
      "server",
      "agent",
      "mode",
      "plan",
      "ipam",
      "datastore",
      "model",
      "bgp/view",
      ...foundation,
    ],
    reason: "front end: parses, calls, prints; the kernel and BGP are the agent's",
  },
  {
    name: "cni",
    uses: ["model", ...foundation],
    reason: "front end: hands the request to the agent's socket",
  },
  {
    name: "lab/demo",
    uses: [...["lab", "plan", "datastore", "model", "netlink"], ...foundation],
    reason: "a tour of a lab: does to it what an operator would do, and looks as one would",
  },
  {
    name: "lab",
    uses: [
      ...["server", "agent", "mode", "dataplane", "plan", "ipam", "datastore", "model", "bgp"],
      ...["netlink", ...foundation],
    ],
    reason: "builds whole clusters, so it may use all that a cluster is made of",
  },
  {
    name: "bgpd",
    uses: ["bgp/view", "bgp", "lib", "lib/log", "lib/socket"],
    reason: "the speaker with a file and a socket, for machines that know nothing of Calico",
  },
  {
    name: "server",
    uses: ["ipam", "datastore", "model", "lib", "lib/log", "lib/socket"],
    reason: "offers a datastore; a server that knew nodes could not run apart from them",
  },
  {
    name: "agent",
    uses: [
      ...["probe", "mode", "facts", "dataplane", "plan", "ipam", "datastore", "model"],
      ...["bgp/view", "bgp", "netlink"],
      ...foundation,
    ],
    reason: "joins everything a node has; never the server: they are two processes",
  },
  {
    name: "probe",
    uses: ["model", ...foundation],
    reason:
      "sends packets over what the dataplane made and says what it saw; writes nothing itself",
  },
  {
    name: "mode",
    uses: ["facts", "plan", "datastore", "model", "lib", "lib/log"],
    reason: "coordinates through resources only, so that any process can drive a change",
  },
  {
    name: "facts",
    uses: ["plan", "model", "lib"],
    reason: "resources as the planner takes them: agents plan and `mode plan` foresees by the same",
    pure: true,
  },
  {
    name: "dataplane",
    uses: ["plan", "model", "netlink", ...foundation],
    reason: "applies a plan to a kernel; where the plan comes from is not its business",
  },
  {
    name: "plan",
    uses: ["model", "lib"],
    reason: "a pure function of its snapshot: what it needs is handed to it",
    pure: true,
  },
  {
    name: "ipam",
    uses: ["datastore", "model", "lib", "lib/log"],
    reason: "allocation is compare-and-swap on a datastore, nothing of a node",
  },
  {
    name: "datastore",
    uses: ["model", "lib", "lib/log"],
    reason: "stores resources; what they mean to a node is above it",
  },
  {
    name: "model",
    uses: ["lib"],
    reason: "pure: the same rules hold in the server, the agent and the command line",
    pure: true,
  },
  {
    name: "bgp/view",
    uses: ["bgp", "lib"],
    reason: "what is shown of a speaker, by whoever has one: it asks, and changes nothing",
  },
  {
    name: "bgp",
    uses: foundation,
    reason: "a speaker usable on its own: knows nothing of Calico nor of a kernel's tables",
  },
  {
    name: "netlink",
    uses: foundation,
    reason: "a library for rtnetlink usable on its own: knows nothing of Calico",
  },
  { name: "lib/sys", uses: ["lib", "lib/log"], reason: "system calls, nothing above them" },
  { name: "lib/socket", uses: ["lib"], reason: "who may listen where; no system calls of its own" },
  { name: "lib/log", uses: ["lib"], reason: "the one place that knows the logger" },
  { name: "lib", uses: [], reason: "the ground: everybody stands on it", pure: true },
];

/** Who may load an npm package or a costly `node:` module; everybody where a name is missing. */
const packageUsers: Readonly<Record<string, { rooms: readonly string[]; reason: string }>> = {
  koffi: { rooms: ["lib/sys", "netlink"], reason: "foreign calls can crash the process" },
  pino: { rooms: ["lib/log"], reason: "one logger, replaceable in one place" },
  fastify: { rooms: ["server"], reason: "only the server serves HTTP to others" },
  commander: { rooms: ["ctl", "lab"], reason: "flags are read at the front ends" },
  zod: { rooms: ["model", "ctl", "lab", "bgpd"], reason: "data is checked where it enters" },
  yaml: { rooms: ["ctl", "lab", "bgpd"], reason: "people write YAML, programs do not" },
  "node:sqlite": { rooms: ["datastore"], reason: "one owner of the database's file" },
};

const maxSourceBytes = 16 * 1024;
/** Tables of cases may be longer: splitting one hides what it covers. */
const maxTestBytes = 24 * 1024;
/** Files that may be larger, with the reason. */
const largeFiles: Readonly<Record<string, string>> = {};

interface SourceFile {
  /** From the root of the repository. */
  readonly path: string;
  readonly room: string;
  readonly isTest: boolean;
  readonly imports: readonly Import[];
}

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

function sourcePaths(directory: string): readonly string[] {
  return readdirSync(join(root, directory), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => `${directory}/${path}`)
    .sort();
}

const statement =
  /^\s*(?:import|export)\s+(type\s+)?(?:[^"'`;]*?\s+from\s+)?["']([^"']+)["']|import\(\s*["']([^"']+)["']\s*\)/gm;

function importsOf(path: string): readonly Import[] {
  const text = readFileSync(join(root, path), "utf8");
  return [...text.matchAll(statement)].map(([, type, fixed, dynamic]) => ({
    specifier: fixed ?? dynamic ?? "",
    typeOnly: type !== undefined,
  }));
}

/** `lib/sys` before `lib`. */
function roomOf(path: string): string {
  const inside = relative("src", path);
  const names = rooms.map((room) => room.name).sort((a, b) => b.length - a.length);
  return names.find((name) => inside.startsWith(`${name}/`)) ?? `unknown (${inside})`;
}

const files: readonly SourceFile[] = sourcePaths("src").map((path) => ({
  path,
  room: roomOf(path),
  isTest:
    /(\.(test|test-suite|test-support)|\/arbitraries|\/testing)\.ts$/.test(path) ||
    path.includes("/testing/"),
  imports: importsOf(path),
}));
const sources = files.filter((file) => !file.isTest);

/** The repository path an import leads to; `undefined` for packages. */
function targetOf(file: SourceFile, { specifier }: Import): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  return relative(root, resolve(root, dirname(file.path), specifier));
}

function packageOf(specifier: string): string | undefined {
  if (specifier.startsWith(".")) return undefined;
  if (specifier.startsWith("node:")) return specifier;
  const parts = specifier.split("/");
  return specifier.startsWith("@") ? parts.slice(0, 2).join("/") : parts[0];
}

describe("architecture", () => {
  test("the test sees the sources and their imports", () => {
    assert.ok(sources.length > 50, `only ${sources.length} sources found`);
    const found = sources.flatMap((file) => file.imports).length;
    assert.ok(found > sources.length, `only ${found} imports found`);
  });

  test("every source belongs to a room", () => {
    const homeless = files.filter((file) => file.room.startsWith("unknown"));
    assert.deepEqual(
      homeless.map((file) => file.path),
      [],
    );
  });

  test("the table points downwards only", () => {
    const order = rooms.map((room) => room.name);
    for (const room of rooms) {
      for (const used of room.uses) {
        assert.ok(order.includes(used), `${room.name} uses ${used}, which is no room`);
        const down = order.indexOf(used) > order.indexOf(room.name);
        assert.ok(down, `${room.name} uses ${used}, which stands above it`);
      }
    }
  });

  test("rooms use only the rooms they may", () => {
    const wrong: string[] = [];
    for (const file of sources) {
      const room = rooms.find((one) => one.name === file.room);
      for (const one of file.imports) {
        const target = targetOf(file, one);
        if (target === undefined || !room) continue;
        const used = target.startsWith("src/") ? roomOf(target) : target;
        if (used === file.room || room.uses.includes(used)) continue;
        wrong.push(`${file.path} uses ${target}; ${room.name}: ${room.reason}`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  test("a room is entered by its door, index.ts", () => {
    const wrong: string[] = [];
    for (const file of files) {
      for (const one of file.imports) {
        const target = targetOf(file, one);
        if (!target?.startsWith("src/")) continue;
        const used = roomOf(target);
        if (used === file.room || target === `src/${used}/index.ts`) continue;
        // lib/sys and lib are one house: what is inside may use what is around it.
        if (file.room.startsWith(`${used}/`)) continue;
        // A contract suite is for the tests of every implementation, and would load node:test.
        if (file.isTest && target.endsWith(".test-suite.ts")) continue;
        // What a room makes for tests is for those of other rooms, too.
        if (file.isTest && target.startsWith(`src/${used}/testing/`)) continue;
        wrong.push(`${file.path} uses ${target} past the door of ${used}`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  test("every room that is used by others has a door", () => {
    const inhabited = new Set(sources.map((file) => file.room));
    const doorless = [...inhabited].filter(
      (room) => !existsSync(join(root, `src/${room}/index.ts`)),
    );
    // Nobody uses the front end: its entry is main.ts, run by bin/switchyard.
    assert.deepEqual(
      doorless.filter((room) => room !== "ctl"),
      [],
    );
  });

  test("pure rooms do no input or output", () => {
    const allowed = ["zod"];
    const wrong: string[] = [];
    for (const file of sources) {
      if (!rooms.find((room) => room.name === file.room)?.pure) continue;
      for (const one of file.imports) {
        const name = packageOf(one.specifier);
        if (name === undefined || one.typeOnly || allowed.includes(name)) continue;
        wrong.push(`${file.path} loads ${name}`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  test("packages are loaded only where they belong", () => {
    const wrong: string[] = [];
    for (const file of sources) {
      for (const one of file.imports) {
        const name = packageOf(one.specifier);
        const users = name === undefined ? undefined : packageUsers[name];
        if (users === undefined || users.rooms.includes(file.room)) continue;
        wrong.push(`${file.path} loads ${name}: ${users.reason}`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  test("only tests load what is installed for development", () => {
    const text = readFileSync(join(root, "package.json"), "utf8");
    const { devDependencies } = JSON.parse(text) as { devDependencies: Record<string, string> };
    const wrong = sources.flatMap((file) =>
      file.imports
        .filter((one) => (packageOf(one.specifier) ?? "") in devDependencies)
        .map((one) => `${file.path} loads ${one.specifier}`),
    );
    assert.deepEqual(wrong, []);
  });

  test("files are small", () => {
    const large = [...sourcePaths("src"), ...sourcePaths("test"), ...sourcePaths("bench")]
      .filter((path) => largeFiles[path] === undefined)
      .map((path) => ({ path, bytes: statSync(join(root, path)).size }))
      .filter(({ path, bytes }) => {
        return bytes > (path.endsWith(".test.ts") ? maxTestBytes : maxSourceBytes);
      });
    assert.deepEqual(large, []);
  });
});
