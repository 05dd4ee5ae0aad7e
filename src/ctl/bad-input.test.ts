/** Input that is wrong: one clear error, exit status 1, nothing changed. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openSession, poolText, runWith, type Session } from "./testing/session.ts";

let session: Session;
before(async () => {
  session = await openSession();
  const path = session.file("first.yaml", poolText("first", "{cidr: 10.0.0.0/16}"));
  assert.equal((await session.run("create", "-f", path)).status, 0);
});
after(() => session.close());

interface Case {
  readonly name: string;
  readonly text: string;
  /** The whole of standard error for `apply`. */
  readonly error: string | RegExp;
}

const calico = "apiVersion: projectcalico.org/v3";
const good = poolText("good", "{cidr: 10.9.0.0/16}");

const cases: readonly Case[] = [
  {
    name: "both modes set",
    text: poolText("bad", "{cidr: 10.1.0.0/16, ipipMode: Always, vxlanMode: Always}"),
    error:
      "failed to apply 'IPPool' resource: [error with field spec (ipipMode and vxlanMode cannot both be enabled)]\n",
  },
  {
    name: "a CIDR with host bits",
    text: poolText("bad", "{cidr: 10.1.0.1/16}"),
    error:
      "failed to apply 'IPPool' resource: [error with field IPPool.Spec.CIDR = '10.1.0.0/16' (IPPool CIDR is not strictly masked)]\n",
  },
  {
    name: "a CIDR that is none",
    text: poolText("bad", "{cidr: 10.1.0.0/99}"),
    error: /IPPool\.Spec\.CIDR = '10\.1\.0\.0\/99' \(IPPool CIDR must be a valid subnet\)/,
  },
  {
    name: "an overlapping pool",
    text: poolText("bad", "{cidr: 10.0.1.0/24}"),
    error:
      "failed to apply 'IPPool' resource: [error with field IPPool.Spec.CIDR = '10.0.1.0/24' (IPPool(bad) CIDR overlaps with IPPool(first) CIDR 10.0.0.0/16)]\n",
  },
  {
    name: "an unknown field",
    text: poolText("bad", "{cidr: 10.1.0.0/16, ippMode: Always}"),
    error: "field in document is not recognized or is in the wrong location: ippMode\n",
  },
  {
    name: "an unknown field beside good documents",
    text: `${good}---\n${poolText("bad", "{cidr: 10.1.0.0/16}")}extra: 1\n`,
    error: "field in document is not recognized or is in the wrong location: extra\n",
  },
  {
    name: "an unknown value",
    text: poolText("bad", "{cidr: 10.1.0.0/16, ipipMode: Sometimes}"),
    error:
      'failed to apply \'IPPool\' resource: [error with field spec.ipipMode (supported values: "Never", "Always", "CrossSubnet")]\n',
  },
  {
    name: "a wrong type",
    text: poolText("bad", "{cidr: 10.1.0.0/16, blockSize: big}"),
    error:
      /^failed to execute command: json: cannot unmarshal string into Go struct field IPPool\.spec\.blockSize of type int\n$/,
  },
  {
    name: "a bad name",
    text: poolText("Bad_Name", "{cidr: 10.1.0.0/16}"),
    error: /Metadata\.Name = 'Bad_Name' \(name must consist of lower case alphanumeric characters/,
  },
  {
    name: "malformed YAML after a good document",
    text: `${good}---\na: b: c\n`,
    error:
      /^failed to execute command: error converting YAML to JSON: yaml: line 7: column 4: .+\n$/,
  },
  {
    name: "malformed JSON",
    text: '{"kind": "IPPool",',
    error:
      /^failed to execute command: error converting YAML to JSON: yaml: line 1: column \d+: .+\n$/,
  },
  {
    name: "a duplicate key",
    text: `${calico}\nkind: IPPool\nmetadata:\n  name: bad\n  name: worse\n`,
    error:
      'failed to execute command: error converting YAML to JSON: yaml: unmarshal errors:\n  line 5: key "name" already set in map\n',
  },
  {
    name: "an alias bomb",
    text: `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n`,
    error: /^failed to execute command: error converting YAML to JSON: yaml: .+\n$/,
  },
  {
    name: "an unknown kind",
    text: `${calico}\nkind: Pool\n`,
    error:
      "failed to execute command: unknown resource type (Pool) and/or version (projectcalico.org/v3)\n",
  },
  {
    name: "a kind that is not for operators",
    text: `${calico}\nkind: IPAMBlock\nmetadata: {name: x}\nspec: {}\n`,
    error:
      "failed to execute command: unknown resource type (IPAMBlock) and/or version (projectcalico.org/v3)\n",
  },
  {
    name: "no kind",
    text: "a: 1\n",
    error: /cannot unmarshal object into Go value of type \[\]unstructured\.Unstructured\n$/,
  },
  {
    name: "a list with an item without kind",
    text: `${calico}\nkind: IPPoolList\nitems:\n- metadata: {name: bad}\n`,
    error: "failed to execute command: unknown resource type () and/or version ()\n",
  },
  {
    name: "a scalar",
    text: "just text\n",
    error: /cannot unmarshal string into/,
  },
  {
    name: "nothing",
    text: "",
    error: /^no resources specified in file .*\/nothing\.yaml\n$/,
  },
  {
    name: "a read-only kind",
    text: `${calico}\nkind: ClusterInformation\nmetadata: {name: default}\nspec: {datastoreReady: false}\n`,
    error:
      "failed to apply 'ClusterInformation' resource: [operation apply is not supported on ClusterInformation: resource is readonly]\n",
  },
  {
    name: "a namespace where there is none",
    text: `${calico}\nkind: IPPool\nmetadata: {name: bad, namespace: x}\nspec: {cidr: 10.1.0.0/16}\n`,
    error:
      "failed to apply 'IPPool' resource: [namespace should not be specified for a non-namespaced resource. IPPool is not a namespaced resource]\n",
  },
];

async function everything(): Promise<string> {
  const kinds = ["ippool", "node", "clusterinfo", "bgppeer"];
  const lists = await Promise.all(kinds.map((kind) => session.run("get", kind, "-o", "yaml")));
  return lists.map((list) => list.stdout.replace(/^ {2}resourceVersion.*$/m, "")).join("---\n");
}

describe("bad input", () => {
  for (const { name, text, error } of cases) {
    test(name, async () => {
      const before = await everything();
      const path = session.file(`${name.replaceAll(" ", "-")}.yaml`, text);
      const { stdout, stderr, status } = await session.run("apply", "-f", path);
      if (typeof error === "string") assert.equal(stderr, error);
      else assert.match(stderr, error);
      assert.deepEqual({ stdout, status }, { stdout: "", status: 1 });
      assert.equal(await everything(), before);
    });
  }

  test("--skip-empty takes an empty file for nothing to do", async () => {
    const path = session.file("empty.yaml", "---\n# nothing\n");
    const result = await session.run("apply", "--skip-empty", "-f", path);
    assert.deepEqual(result, { stdout: "No resources specified\n", stderr: "", status: 0 });
  });

  test("validate says the same without a server", async () => {
    const nobody = { SWITCHYARD_SOCKET: "/nonexistent.sock" };
    const bad = session.file("v.yaml", poolText("bad", "{cidr: 10.1.0.0/99}"));
    const refused = await runWith(nobody, ["validate", "-f", bad]);
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /^failed to validate 'IPPool' resource: \[.*valid subnet/);
    const accepted = await runWith(nobody, ["validate", "-f", session.file("g.yaml", good)]);
    assert.deepEqual(accepted, {
      stdout: "Successfully validated 1 'IPPool' resource(s)\n",
      stderr: "",
      status: 0,
    });
  });
});

const commandLines: readonly (readonly [string, string])[] = [
  ["foo", 'unknown command "foo" for "switchyard"'],
  ["foo --bar", 'unknown command "foo" for "switchyard"'],
  ["--bar", "unknown flag: --bar"],
  ["get --bar", "unknown flag: --bar"],
  ["get --bar=3", "unknown flag: --bar"],
  ["get ippool -m", "unknown shorthand flag: 'm' in -m"],
  ["get ippool -mX", "unknown shorthand flag: 'm' in -mX"],
  ["get ippool -f", "flag needs an argument: 'f' in -f"],
  ["patch ippool", "accepts 2 arg(s), received 1"],
  ["patch ippool a b", "accepts 2 arg(s), received 3"],
  ["label ippool a", "requires at least 3 arg(s), only received 2"],
  ["get somekind", "failed to get resources: resource type 'somekind' is not supported"],
  ["delete SomeKind x", "resource type 'SomeKind' is not supported"],
  ["get ippool -o name", "unrecognized output format 'name'"],
  ["get ippool -A", "IPPool is not namespaced"],
  ["get ippool -n x", "IPPool is not namespaced"],
  ["get wep -A -n x", "cannot use both --namespace and --all-namespaces flags at the same time"],
  ["get wep w -A", "cannot use --all-namespace flag for getting a single resource"],
  ["get svc w -A", "cannot use --all-namespace flag for getting a single resource"],
  ["get wep w", "resource does not exist: WorkloadEndpoint(default/w) with error: <nil>"],
  [
    "get -f /nonexistent",
    "failed to execute command: open /nonexistent: no such file or directory",
  ],
  [
    "get ippool -l loud",
    "unknown log level: loud, expected one of: panic, fatal, error, warn, info, debug",
  ],
  ["node foo", 'unknown command "foo" for "switchyard node"'],
  ["lab foo", 'unknown command "foo" for "switchyard lab"'],
  ["server foo", 'unknown command "foo" for "switchyard server"'],
];

describe("bad command lines", () => {
  for (const [line, error] of commandLines) {
    test(line, async () => {
      const result = await session.run(...line.split(" "));
      assert.deepEqual(result, { stdout: "", stderr: `${error}\n`, status: 1 });
    });
  }

  test("a configuration file that is not there", async () => {
    const result = await session.run("-c", "/nonexistent", "get", "ippool");
    assert.deepEqual(result, {
      stdout: "Error reading config file: /nonexistent\n",
      stderr: "",
      status: 1,
    });
  });

  const head = `${calico}\nkind: CalicoAPIConfig\nmetadata:\nspec:\n`;
  const configs: readonly (readonly [string, RegExp])[] = [
    [`${head}  datastoreType: etcdv3\n`, /^invalid config file: datastoreType 'etcdv3' in /],
    [`${head}  socket: /x\n`, /^field in document is not recognized .*: socket\n$/],
    ["apiVersion: v1\n", /^invalid config file: unknown APIVersion 'v1'\n$/],
    [`${calico}\nkind: X\n`, /^invalid config file: expected kind 'CalicoAPIConfig', got 'X'\n$/],
    ["a: b: c\n", /^syntax error in .*: failed to parse config as YAML\/JSON: /],
  ];
  for (const [text, error] of configs) {
    test(`a configuration of ${JSON.stringify(text)}`, async () => {
      const path = session.file("config.yaml", text);
      const { stderr, status } = await session.run("get", "ippool", "--config", path);
      assert.match(stderr, error);
      assert.equal(status, 1);
    });
  }

  test("a configuration of our own", async () => {
    const text = `${head}  datastoreType: switchyard\n  socketPath: ${session.socketPath}\n`;
    const path = session.file("config.yaml", text);
    const result = await runWith({}, ["get", "ippool", "first", "-c", path]);
    assert.equal(result.status, 0, result.stderr);
  });

  test("nobody listens", async () => {
    const result = await runWith({ SWITCHYARD_SOCKET: "/nonexistent.sock" }, ["get", "ippool"]);
    assert.equal(result.status, 1);
    assert.match(
      result.stderr,
      /^cannot reach the Switchyard server at \/nonexistent\.sock: there is no such socket\nStart it with/,
    );
  });
});
