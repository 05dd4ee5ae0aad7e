/** The verbs against a real server: golden texts of what operators see. */

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { openSession, poolText, type Session } from "./testing/session.ts";

let session: Session;
before(async () => {
  session = await openSession();
});
after(() => session.close());

async function ok(...args: readonly string[]): Promise<string> {
  const { stdout, stderr, status } = await session.run(...args);
  assert.deepEqual({ stderr, status }, { stderr: "", status: 0 });
  return stdout;
}

async function fails(...args: readonly string[]): Promise<string> {
  const { stdout, stderr, status } = await session.run(...args);
  assert.deepEqual({ stdout, status }, { stdout: "", status: 1 });
  return stderr;
}

const nodeText = (name: string, spec: string) =>
  `apiVersion: projectcalico.org/v3\nkind: Node\nmetadata:\n  name: ${name}\nspec: ${spec}\n`;

describe("one pool", () => {
  before(async () => {
    const spec = "{cidr: 10.0.1.0/24, ipipMode: Always, nodeSelector: foo == 'bar'}";
    const file = session.file("pool.yaml", poolText("ippool-name1", spec));
    assert.equal(await ok("create", "-f", file), "Successfully created 1 'IPPool' resource(s)\n");
  });
  after(async () => {
    assert.equal(
      await ok("delete", "pool", "ippool-name1"),
      "Successfully deleted 1 'IPPool' resource(s)\n",
    );
  });

  test("get", async () => {
    const expected =
      "NAME           CIDR          SELECTOR       \n" +
      "ippool-name1   10.0.1.0/24   foo == 'bar'   \n\n";
    assert.equal(await ok("get", "ippool", "ippool-name1"), expected);
    assert.equal(await ok("get", "IPPools"), expected);
  });

  test("get -o wide", async () => {
    assert.equal(
      await ok("-o=wide", "get", "ippool"),
      "NAME           CIDR          NAT     IPIPMODE   VXLANMODE   DISABLED   DISABLEBGPEXPORT   SELECTOR       ASSIGNMENTMODE   \n" +
        "ippool-name1   10.0.1.0/24   false   Always     Never       false      false              foo == 'bar'   Automatic        \n\n",
    );
  });

  test("get -o custom-columns", async () => {
    assert.equal(
      await ok("get", "ipp", "-o", "custom-columns=CIDR,NAME"),
      "CIDR          NAME           \n10.0.1.0/24   ippool-name1   \n\n",
    );
    assert.match(
      await fails("get", "ipp", "-o", "custom-columns=CIDR,X"),
      /^unknown heading X, valid values are: NAME, CIDR, /,
    );
  });

  test("get -o yaml --export", async () => {
    const expected = `apiVersion: projectcalico.org/v3
kind: IPPool
metadata:
  name: ippool-name1
spec:
  allowedUses:
  - Workload
  - Tunnel
  assignmentMode: Automatic
  blockSize: 26
  cidr: 10.0.1.0/24
  ipipMode: Always
  nodeSelector: foo == 'bar'
  vxlanMode: Never
`;
    assert.equal(await ok("get", "ippool", "ippool-name1", "-o", "yaml", "--export"), expected);
  });

  test("get -o json has Go's order and no newline at the end", async () => {
    const text = await ok("get", "ippool", "ippool-name1", "-o", "json");
    assert.match(text, /^\{\n {2}"kind": "IPPool",\n {2}"apiVersion": "projectcalico.org\/v3",/);
    assert.match(text, /\n\}$/);
    const list = await ok("get", "ippool", "-o", "json");
    assert.match(list, /^\{\n {2}"kind": "IPPoolList",[\s\S]*"items": \[\n/);
    assert.equal(JSON.parse(list).items.length, 1);
  });

  test("what get -o yaml prints is what apply and replace read", async () => {
    for (const command of ["apply", "replace"]) {
      const file = session.file("again.yaml", await ok("get", "ippool", "-o", "yaml"));
      assert.equal(
        await ok(command, "-f", file),
        `Successfully ${command === "apply" ? "applied" : "replaced"} 1 'IPPool' resource(s)\n`,
      );
    }
  });

  test("patch", async () => {
    const patch = '{"spec":{"ipipMode":"CrossSubnet"}}';
    assert.equal(
      await ok("patch", "ippool", "ippool-name1", "--patch", patch),
      "Successfully patched 1 'IPPool' resource\n",
    );
    assert.match(await ok("get", "ippool", "-o", "wide"), / CrossSubnet {3}Never /);
  });

  const refusedPatches: readonly (readonly [string, string])[] = [
    [
      '{"spec":{"vxlanMode":"Always"}}',
      "hit error: updating existing resource: error with field spec (ipipMode and vxlanMode cannot both be enabled)\n",
    ],
    [
      '{"spec":{"foo":1}}',
      "field in document is not recognized or is in the wrong location: foo\n",
    ],
    [
      '{"spec":{"cidr":"10.0.2.0/24"}}',
      "hit error: updating existing resource: error with field IPPool.Spec.CIDR = '10.0.2.0/24' (IPPool CIDR cannot be modified)\n",
    ],
  ];
  for (const [patch, text] of refusedPatches) {
    test(`patch ${patch} is refused and changes nothing`, async () => {
      const wasText = await ok("get", "ippool", "-o", "yaml");
      assert.equal(await fails("patch", "ippool", "ippool-name1", "-p", patch), text);
      assert.equal(await ok("get", "ippool", "-o", "yaml"), wasText);
    });
  }

  test("patch that is no JSON, or of what is not there", async () => {
    assert.match(
      await fails("patch", "ippool", "ippool-name1", "-p", "{"),
      /^hit error: performing strategic merge patch: invalid JSON document: /,
    );
    assert.equal(
      await fails("patch", "ippool", "nix", "-p", "{}"),
      "hit error: resource does not exist: IPPool(nix) with error: <nil>\n",
    );
    assert.equal(await fails("patch", "ippool"), "accepts 2 arg(s), received 1\n");
  });

  test("create again, with and without --skip-exists", async () => {
    const file = session.file("again.yaml", poolText("ippool-name1", "{cidr: 10.0.1.0/24}"));
    assert.equal(
      await fails("create", "-f", file),
      "failed to create 'IPPool' resource: [resource already exists: IPPool(ippool-name1) with error: <nil>]\n",
    );
    assert.equal(
      await ok("create", "-f", file, "--skip-exists"),
      "Successfully created 1 'IPPool' resource(s)\n",
    );
  });

  test("a stale resourceVersion is a conflict", async () => {
    const text = poolText("ippool-name1", "{cidr: 10.0.1.0/24}");
    const stale = text.replace("metadata:", 'metadata:\n  resourceVersion: "1"');
    const result = await session.run("replace", "-f", session.file("stale.yaml", stale));
    assert.deepEqual(result, {
      stdout: "Partial success: replaced the first 1 out of 1 'IPPool' resources:\n",
      stderr: "hit error: update conflict: IPPool(ippool-name1)\n",
      status: 1,
    });
  });

  test("label", async () => {
    const label = (...args: string[]) => ["label", "ippool", "ippool-name1", ...args];
    assert.equal(await ok(...label("a=b")), "Successfully set label a on ippool ippool-name1\n");
    assert.equal(
      await ok(...label("a=b")),
      "Successfully updated label a on ippool ippool-name1\n",
    );
    assert.equal(
      await fails(...label("a=c")),
      "failed to update label of ippool ippool-name1, key a is already present. please use '--overwrite' to set a new value\n",
    );
    assert.equal(
      await ok(...label("a=c", "--overwrite")),
      "Successfully updated label a on ippool ippool-name1\n",
    );
    assert.equal(
      await ok(...label("a", "--remove")),
      "Successfully removed label a from ippool ippool-name1\n",
    );
    assert.equal(
      await fails(...label("a", "--remove")),
      "cannot remove label of ippool ippool-name1, key a does not exist\n",
    );
    assert.equal(await fails(...label("a")), "invalid label a\n");
    assert.equal(await fails("label", "ippool", "nix", "a=b"), "ippool nix not found\n");
    assert.equal(await fails("label", "ippool"), "requires at least 3 arg(s), only received 1\n");
  });
});

describe("several resources", () => {
  let file: string;
  beforeEach(async () => {
    const texts = [
      nodeText("n1", "{bgp: {asNumber: 64999, ipv4Address: 10.0.0.1/24}}"),
      nodeText("n2", "{bgp: {ipv4Address: 10.0.0.2/24}}"),
    ];
    file = session.file("nodes.yaml", texts.join("---\n"));
    await ok("apply", "-f", file);
  });

  test("nodes show their AS number, or the global one in brackets", async () => {
    assert.equal(
      await ok("get", "nodes", "-o", "wide"),
      "NAME   ASN       IPV4          IPV6   \n" +
        "n1     64999     10.0.0.1/24          \n" +
        "n2     (64512)   10.0.0.2/24          \n\n",
    );
  });

  test("several names give several tables, or an array", async () => {
    assert.equal(await ok("get", "node", "n1", "n2"), "NAME   \nn1     \n\nNAME   \nn2     \n\n");
    assert.match(
      await ok("get", "node", "n1", "n2", "-o", "yaml"),
      /^- apiVersion: [\s\S]*\n- apiV/,
    );
  });

  test("what is found is printed before what is not", async () => {
    const result = await session.run("get", "node", "n1", "nix");
    assert.deepEqual(result, {
      stdout: "NAME   \nn1     \n\n",
      stderr: "resource does not exist: Node(nix) with error: <nil>\n",
      status: 1,
    });
    const nothing = await session.run("get", "node", "nix", "-o", "yaml");
    assert.equal(nothing.stdout, "null\n");
  });

  test("a partly failed create says how far it came", async () => {
    const path = session.file(
      "more.yaml",
      ["n1", "n3", "n4"].map((name) => nodeText(name, "{}")).join("---\n"),
    );
    assert.deepEqual(await session.run("create", "-f", path), {
      stdout: "Partial success: created the first 2 out of 3 'Node' resources:\n",
      stderr: "hit error: [resource already exists: Node(n1) with error: <nil>]\n",
      status: 1,
    });
    assert.equal(
      await fails("create", "-f", path),
      "failed to create any 'Node' resources: [resource already exists: Node(n1) with error: <nil> resource already exists: Node(n3) with error: <nil> resource already exists: Node(n4) with error: <nil>]\n",
    );
  });

  test("delete goes on after an error", async () => {
    assert.deepEqual(await session.run("delete", "node", "nix", "n1"), {
      stdout: "Successfully deleted 1 'Node' resource(s)\n",
      stderr:
        "Failed to delete 'Node' resource: resource does not exist: Node(nix) with error: <nil>\n\n",
      status: 1,
    });
    assert.equal(
      await ok("delete", "node", "n1", "-s"),
      "Successfully deleted 1 'Node' resource(s)\n",
    );
    assert.equal(
      await ok("delete", "-f", file, "--skip-not-exists"),
      "Successfully deleted 2 'Node' resource(s)\n",
    );
  });

  test("a directory, with and without those below it", async () => {
    const path = session.file("README.txt", "not a resource");
    const directory = join(dirname(path), "dir");
    mkdirSync(join(directory, "below"), { recursive: true });
    assert.equal(
      await fails("apply", "-f", directory),
      `no resources specified in directory ${directory}\n`,
    );
    session.file("dir/a.yml", nodeText("d1", "{}"));
    session.file("dir/b.txt", "ignored: [");
    session.file("dir/below/c.JSON", JSON.stringify([]));
    session.file(
      "dir/below/d.yaml",
      "apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: p}\nspec: {peerIP: 10.0.0.9}\n",
    );
    assert.equal(await ok("apply", "-f", directory), "Successfully applied 1 'Node' resource(s)\n");
    assert.equal(await ok("apply", "-R", "-f", directory), "Successfully applied 2 resource(s)\n");
    assert.equal(
      await ok("get", "bgppeer"),
      "NAME   PEERIP     NODE       ASN   \np      10.0.0.9   (global)   0     \n\n",
    );
  });
});
