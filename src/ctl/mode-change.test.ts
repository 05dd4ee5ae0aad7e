/** `mode change` and its relatives, from the command line to the datastore, against a scripted driver. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { CtlContext } from "./context.ts";
import { evidenceOf, goodResult, guardOf } from "./testing/change-facts.ts";
import { type Cluster, openCluster } from "./testing/scripted-driver.ts";
import { type RunResult, runWith } from "./testing/session.ts";

let cluster: Cluster;
before(async () => {
  cluster = await openCluster();
});
after(() => cluster.close());

/** The first change, of which later tests speak. */
let first = "";

const run = (...args: readonly string[]) => cluster.session.run("mode", ...args);
const runIn = (surroundings: Partial<CtlContext>, env: CtlContext["env"], ...args: string[]) =>
  runWith(
    { SWITCHYARD_SOCKET: cluster.session.socketPath, ...env },
    ["mode", ...args],
    surroundings,
  );

/** Starts a command, and lets `drive` do what agents would. */
async function driven(
  started: Promise<RunResult>,
  drive: (id: string) => Promise<void>,
): Promise<RunResult & { readonly id: string }> {
  const { metadata } = await cluster.asked();
  await drive(metadata.name);
  return { ...(await started), id: metadata.name };
}

/** Every driver's way to the operator's word. */
async function moveAll(id: string): Promise<void> {
  await cluster.write(id, { phase: "Planning" });
  await cluster.write(id, { phase: "Rolling" });
  await cluster.write(id, {
    phase: "AwaitingConfirm",
    confirmBy: new Date(Date.now() + 600_000).toISOString(),
  });
}

async function endAll(): Promise<void> {
  for (const { metadata, status } of (await cluster.store.list("ModeChange")).items) {
    if (status?.phase !== "Done") await cluster.write(metadata.name, { phase: "RolledBack" });
  }
}

describe("mode change", () => {
  test("returns when the change waits to be confirmed, and says how to answer", async () => {
    const { stdout, stderr, status, id } = await driven(
      run(
        ...["change", "pods", "--to", "none", "--canary", "1", "--wave", "25%", "--seed", "7"],
        ...["--blocks", "10.244.0.0/26, 10.244.1.0/26"],
      ),
      moveAll,
    );
    first = id;
    assert.equal(stderr, "");
    const lines = stdout.trimEnd().split("\n");
    assert.deepEqual(lines.slice(0, 3), [
      `${id}: Planning: Planning it is`,
      `${id}: Rolling: Rolling it is`,
      `${id}: AwaitingConfirm: AwaitingConfirm it is`,
    ]);
    assert.match(lines[3]!, /: moved: pods: ipip -> none in .* s; it waits to be confirmed$/);
    assert.match(
      lines[4]!,
      /^It goes back by itself at 2.* \(in (10 min|9 min .*)\) unless it is confirmed\.$/,
    );
    assert.deepEqual(lines.slice(5), [
      `    switchyard mode confirm ${id}`,
      `    switchyard mode rollback ${id}`,
    ]);
    assert.equal(status, 0);
    const { spec } = await cluster.store.get("ModeChange", id);
    const { requestedBy, ...asked } = spec;
    const blocks = ["10.244.0.0/26", "10.244.1.0/26"];
    assert.deepEqual(asked, { pool: "pods", to: "none", canary: 1, wave: "25%", blocks, seed: 7 });
    assert.match(requestedBy ?? "", /^.+@.+$/);
  });

  test("is refused while another of the same pool runs", async () => {
    const { stderr, status } = await run("change", "pods", "--to", "vxlan");
    assert.ok(
      stderr.startsWith(
        `change ${first} (to none, AwaitingConfirm) of pool pods runs: look at it with \`switchyard mode show ${first}\``,
      ),
      stderr,
    );
    assert.equal(status, 1);
  });

  test("can be named by its pool; confirm, with --watch, stays to the end", async () => {
    const started = run("confirm", "pods", "--watch");
    await cluster.until(first, ({ spec }) => spec.confirmed === true);
    await cluster.write(first, { phase: "Narrowing" });
    await cluster.write(first, { phase: "Done" });
    const { stdout, status } = await started;
    assert.match(stdout, RegExp(`^${first}: confirmed: pods becomes none\n${first}: Narrowing`));
    assert.match(stdout, RegExp(`\n${first}: done: pods: ipip -> none in .* s\n$`));
    assert.equal(status, 0);
  });

  const ends: [name: string, args: string[], Parameters<Cluster["write"]>[1], number, RegExp][] = [
    ["with --yes is done in one go", ["--yes"], { phase: "Done" }, 0, /: done: pods/],
    [
      "that needs attention ends with 5",
      ["--yes"],
      { phase: "Done", attention: ["node2: its old device is still there"] },
      5,
      /: attention: node2: its old device is still there\n/,
    ],
    [
      "that goes back ends with 4, and says why",
      ["--watch"],
      { phase: "RolledBack", reason: "node2 lost 3 of 100 live probes" },
      4,
      /: rolled back: pods: ipip -> none after .* s: node2 lost 3 of 100 live probes\n$/,
    ],
    [
      "that a trap refuses ends with 3, and names its code and remedy",
      [],
      {
        phase: "Refused",
        reason: "a trap refuses it",
        traps: [
          {
            code: "NODE_WITHOUT_AGENT",
            severity: "refuse",
            message: "nobody can order it",
            nodes: ["node2"],
            remedy: "start its agent",
          },
        ],
      },
      3,
      /: trap refuse NODE_WITHOUT_AGENT: nobody can order it; nodes: node2; remedy: start its agent\n.*refused: pods: ipip -> none: a trap refuses it\n$/s,
    ],
  ];
  for (const [name, flags, end, exitStatus, output] of ends) {
    test(name, async () => {
      const { stdout, status } = await driven(
        run("change", "pods", "--to", "none", ...flags),
        async (id) => {
          await cluster.write(id, end);
        },
      );
      assert.match(stdout, output);
      assert.equal(status, exitStatus);
    });
  }

  test("with -o json prints one document, and its progress on standard error", async () => {
    const { stdout, stderr, status, id } = await driven(
      run("change", "pods", "--to", "none", "-o", "json", "--skip-proof", "--reason", "lab"),
      async (id) => {
        await cluster.see(id, "node1", evidenceOf(guardOf({ counters: { InNoRoutes: 2 } })));
        await cluster.write(id, { phase: "Rolling" });
        await cluster.write(id, { phase: "RolledBack", reason: "asked for" });
      },
    );
    const document = JSON.parse(stdout);
    assert.equal(document.id, id);
    assert.equal(document.result, "rolled-back");
    assert.equal(document.exitStatus, status);
    assert.deepEqual(document.spec.skipProof, { reason: "lab" });
    assert.deepEqual(document.guard.counters, { InNoRoutes: 2 });
    assert.equal(document.guard.probes.sent, 100);
    assert.match(stderr, RegExp(`^${id}: Rolling: Rolling it is\n${id}: RolledBack: asked for\n$`));
    assert.equal(status, 4);
  });

  test("on a terminal draws over itself, and leaves the last picture", async () => {
    const terminal = { columns: () => 60, rows: () => 40 };
    const { stdout, status } = await driven(
      runIn({ terminal }, { LANG: "C.UTF-8" }, "change", "pods", "--to", "none", "--yes"),
      async (id) => {
        await cluster.write(id, { phase: "Rolling" });
        await cluster.until(id, ({ status }) => status?.phase === "Rolling");
        await cluster.write(id, { phase: "Done" });
      },
    );
    assert.equal(status, 0);
    const pictures = stdout.split("\u001b[J");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escapes are what it is about
    const plain = pictures.at(-1)!.replaceAll(/\u001b\[[0-9]*[mA]/g, "");
    assert.match(plain, /^pods: ipip -> none {3}pods-[-0-9]+\n/);
    assert.match(plain, /\n {2}?\* Rolling|\n\* Rolling/);
    assert.match(plain, /: done: pods: ipip -> none in .* s\n$/);
    assert.ok(stdout.includes("\u001b[32m"), "colours");
    assert.ok(
      plain
        .split("\n")
        .slice(0, -2)
        .every((line) => line.length <= 60),
    );
  });

  const bare: [name: string, env: CtlContext["env"], redraws: boolean][] = [
    ["NO_COLOR", { NO_COLOR: "1" }, true],
    ["TERM=dumb", { TERM: "dumb" }, false],
  ];
  for (const [name, env, redraws] of bare) {
    test(`on a terminal with ${name} there are no colours`, async () => {
      const terminal = { columns: () => 80, rows: () => 24 };
      const { stdout } = await driven(
        runIn({ terminal }, env, "change", "pods", "--to", "none", "--yes"),
        async (id) => {
          await cluster.write(id, { phase: "Done" });
        },
      );
      // biome-ignore lint/suspicious/noControlCharactersInRegex: escapes are what it is about
      assert.doesNotMatch(stdout, /\u001b\[[0-9]*m/);
      assert.equal(stdout.includes("\n* Planning") || stdout.includes("\n* Done"), redraws);
    });
  }

  test("that one stops looking at goes on: Ctrl-C ends with 130 and says how to come back", async () => {
    let press: (() => void) | undefined;
    const onInterrupt = (listener: () => void) => {
      press = listener;
      return () => {
        press = undefined;
      };
    };
    const { stdout, status, id } = await driven(
      runIn({ onInterrupt }, {}, "change", "pods", "--to", "none"),
      async (id) => {
        await cluster.write(id, { phase: "Rolling" });
        press?.();
      },
    );
    assert.equal(status, 130);
    assert.equal(press, undefined, "nobody listens any more");
    const { spec } = await cluster.store.get("ModeChange", id);
    assert.equal(spec.rollback, undefined, "it was not told to go back");
    for (const word of ["show", "rollback", "confirm"]) {
      assert.match(stdout, RegExp(`\n    switchyard mode ${word} ${id} `));
    }
    await endAll();
  });

  test("goes on while the server is away: the command says so, and waits", async () => {
    const other = await openCluster();
    let press: (() => void) | undefined;
    let stderr = "";
    let away: (() => void) | undefined;
    const isAway = new Promise<void>((resolve) => {
      away = resolve;
    });
    const started = runWith(
      { SWITCHYARD_SOCKET: other.session.socketPath },
      ["mode", "change", "pods", "--to", "none"],
      {
        onInterrupt: (listener) => {
          press = listener;
          return () => {};
        },
        stderr: (text) => {
          stderr += text;
          away?.();
        },
      },
    );
    const { metadata } = await other.asked();
    await other.write(metadata.name, { phase: "Rolling" });
    while (!press) await new Promise(setImmediate);
    await other.close();
    await isAway;
    assert.match(
      stderr,
      /: the server does not answer \(.+\); the change does not need this command, which tries again\n$/,
    );
    press();
    assert.equal((await started).status, 130);
  });

  test("whose object is deleted meanwhile needs attention", async () => {
    const { stdout, status, id } = await driven(
      run("change", "pods", "--to", "none"),
      async (id) => {
        await cluster.store.delete("ModeChange", id);
      },
    );
    assert.equal(
      stdout,
      `${id}: the change was deleted while it ran: agents now follow the pool, which \`switchyard mode status\` shows\n`,
    );
    assert.equal(status, 5);
  });
});

describe("mode prove", () => {
  test("prints the matrix and the verdicts; a verdict against it ends with 3", async () => {
    const verdict = {
      from: "10.0.1.0/24",
      to: "10.0.2.0/24",
      encapsulation: "none",
      pairs: 1,
      failed: 1,
      ok: false,
      message: "source addresses of pods are filtered",
    } as const;
    const { stdout, status, id } = await driven(
      run("prove", "pods", "--to", "none"),
      async (id) => {
        const results = [goodResult("node2", { error: "EPERM" })];
        const heard = ["node2"];
        await cluster.see(id, "node1", evidenceOf({ proved: "full", heard, results }));
        const good = [goodResult("node1")];
        await cluster.see(id, "node2", evidenceOf({ proved: "full", results: good }));
        await cluster.write(id, { phase: "Done", verdicts: [verdict] });
      },
    );
    assert.equal((await cluster.store.get("ModeChange", id)).spec.proveOnly, true);
    assert.ok(stdout.includes("\n 1 node1  - r\n 2 node2  + -\n"), stdout);
    assert.ok(
      stdout.includes(
        `${id}: verdict FAILED 10.0.1.0/24 -> 10.0.2.0/24 (none, 1 of 1 pairs failed): source addresses of pods are filtered\n`,
      ),
    );
    assert.match(stdout, /: not proved: pods: ipip -> none: 1 of 1 verdicts are against it\n$/);
    assert.equal(status, 3);
  });
});

describe("words to a change", () => {
  test("are written once, and answered", async () => {
    const { id } = await driven(run("change", "pods", "--to", "none"), moveAll);
    await cluster.write(id, { phase: "Rolling" });
    const said = async (word: string) => (await run(word, id)).stdout;
    assert.equal(await said("resume"), `${id}: is not paused (Rolling)\n`);
    assert.equal(await said("pause"), `${id}: paused (Rolling): no further node moves\n`);
    assert.equal(await said("pause"), `${id}: was paused before (Rolling)\n`);
    assert.equal(await said("resume"), `${id}: goes on (Rolling)\n`);
    assert.equal(
      await said("confirm"),
      `${id}: confirmed in advance (Rolling): it will not wait for anybody\n`,
    );
    assert.equal(await said("confirm"), `${id}: was confirmed before (Rolling)\n`);
    assert.equal(await said("rollback"), `${id}: goes back (it was Rolling)\n`);
    assert.equal(await said("rollback"), `${id}: goes back already (Rolling)\n`);
    const late = await run("confirm", id);
    const stderr = `confirm ${id}: rollback has been said before\n`;
    assert.deepEqual(late, { stdout: "", stderr, status: 1 });
    await cluster.write(id, { phase: "RolledBack", reason: "fully old" });
    assert.equal(
      (await run("rollback", id)).stderr,
      `rollback ${id}: it has ended (RolledBack: fully old)\n`,
    );
  });

  test("to a change that is done say how to go back all the same", async () => {
    const { stderr } = await run("rollback", first);
    assert.equal(
      stderr,
      `rollback ${first}: it has ended (Done); to go back, change pods to ipip\n`,
    );
  });

  test("to a change that is being completed come too late", async () => {
    const { id } = await driven(run("change", "pods", "--to", "none"), moveAll);
    await cluster.write(id, { phase: "Narrowing" });
    const { stderr, status } = await run("rollback", id);
    assert.equal(stderr, `rollback ${id}: it is being committed; go back by a change to ipip\n`);
    assert.equal(status, 1);
    await cluster.write(id, { phase: "Done" });
  });

  test("to nobody", async () => {
    const { stderr, status } = await run("confirm", "nothing");
    assert.equal(
      stderr,
      "there is no mode change 'nothing', and no change of a pool of that name runs (none runs; `switchyard mode history` lists those that ended)\n",
    );
    assert.equal(status, 1);
  });
});

describe("mode history and mode show", () => {
  test("list what was, of one pool or of all", async () => {
    const { stdout } = await run("history", "pods");
    assert.match(stdout, /^ID +POOL +FROM +TO +RESULT +STARTED +TOOK +LOST +BY/);
    assert.match(stdout, RegExp(`\n${first} +pods +ipip +none +Done +2`));
    assert.equal((await run("history", "six")).stdout.trimEnd().split("\n").length, 1);
    const rows = JSON.parse((await run("history", "-o", "json")).stdout);
    assert.equal(rows[0].id, first);
  });

  test("show one as text and as a document", async () => {
    const { stdout, status } = await run("show", first);
    assert.match(
      stdout,
      RegExp(
        `^${first}\n {2}pods: ipip -> none\n {2}canary 1, wave 25%, seed 7, confirmed\n {2}blocks that go first: 10`,
      ),
    );
    assert.equal(status, 0);
    assert.equal(JSON.parse((await run("show", first, "-o", "json")).stdout).result, "done");
    assert.match((await run("show", "pods")).stdout, /^pods-[-0-9]+\n/, "the last of the pool");
    // One that is over has nothing to look at: the same, with the exit status of its end.
    assert.match((await run("show", first, "--watch")).stdout, RegExp(`${first}: done: `));
  });
});

describe("mode change with bad input", () => {
  const cases: [args: string, error: string | RegExp][] = [
    ["change nope --to none", "there is no pool 'nope'; the pools are: pods, six\n"],
    ["change pods --to ipip", "pool pods is ipip already\n"],
    [
      "change six --to ipip-cross-subnet",
      "pool six (fd00::/64) cannot become ipip-cross-subnet: IP-in-IP carries IPv4 only; use vxlan, vxlan-cross-subnet or none\n",
    ],
    [
      "change pods",
      "name the mode with --to: ipip, ipip-cross-subnet, vxlan, vxlan-cross-subnet, none\n",
    ],
    [
      "change pods --to IPIPAlways",
      "there is no mode 'IPIPAlways': the modes are ipip, ipip-cross-subnet, vxlan, vxlan-cross-subnet, none\n",
    ],
    ["change --to none", "name a pool, or the mesh with --mesh on or --mesh off\n"],
    [
      "change pods six --to none",
      "accepts at most 1 arg(s), received 2; usage: switchyard mode change POOL --to MODE | --mesh on|off\n",
    ],
    [
      "change pods --mesh off",
      "--mesh is of the whole cluster: it goes with no pool and no --to\n",
    ],
    [
      "plan --mesh off --to none",
      "--mesh is of the whole cluster: it goes with no pool and no --to\n",
    ],
    ["change --mesh maybe", "invalid value 'maybe' of --mesh: it must be on or off\n"],
    [
      "change --mesh off --skip-proof --reason lab",
      "--skip-proof does not go with --mesh: of the mesh nothing is proved by packets\n",
    ],
    ["change --mesh on", "the node-to-node mesh is on already\n"],
    [
      "prove --mesh off",
      "of the mesh there is nothing to prove by packets: `mode plan --mesh off` says what stands in its way\n",
    ],
    ["change pods --to", "flag needs an argument: --to; see `switchyard mode change --help`\n"],
    [
      "change pods --to none --canary -1",
      "invalid value '-1' of --canary: it must be a whole number, 0 or more\n",
    ],
    [
      "change pods --to none --canary=1.5",
      "invalid value '1.5' of --canary: it must be a whole number, 0 or more\n",
    ],
    [
      "change pods --to none --seed x",
      "invalid value 'x' of --seed: it must be a whole number, 0 or more\n",
    ],
    [
      "change pods --to none --wave 0",
      /^invalid value '0' of --wave: it must be a number of nodes \(8\) or a part/,
    ],
    [
      "change pods --to none --blocks 10.244.0.0/26,x",
      /^invalid block 'x' of --blocks: they are CIDRs/,
    ],
    ["change --mesh off --blocks 10.244.0.0/26", /^--blocks does not go with --mesh/],
    ["change pods --to none --wave 101%", /^invalid value '101%' of --wave/],
    [
      "change pods --to none --confirm-within 10",
      /^invalid value '10' of --confirm-within: it must be a duration/,
    ],
    ["change pods --to none --confirm-within 0.5s", /^invalid value '0.5s' of --confirm-within/],
    [
      "change pods --to none --skip-proof",
      '--skip-proof needs --reason "WHY": it is kept with the change\n',
    ],
    [
      "change pods --to none --skip-proof --reason=",
      '--skip-proof needs --reason "WHY": it is kept with the change\n',
    ],
    [
      "change pods --to none --reason x",
      "--reason goes with --skip-proof: nothing else needs one\n",
    ],
    ["change pods --to none --accept no_mask", /^invalid code 'no_mask' of --accept/],
    ["change pods --to none --accept A,,B", /^invalid code '' of --accept/],
    ["change pods --to none -o yaml", "unrecognized output format 'yaml'\n"],
    ["change pods --to none --fast", "unknown flag: --fast; see `switchyard mode change --help`\n"],
    [
      "prove pods --to none --canary 1",
      "unknown flag: --canary; see `switchyard mode prove --help`\n",
    ],
    ["confirm", "accepts 1 arg(s), received 0; usage: switchyard mode confirm ID\n"],
    [
      "history pods six",
      "accepts at most 1 arg(s), received 2; usage: switchyard mode history [POOL]\n",
    ],
    [
      "chnage pods",
      /^unknown command "chnage" for "switchyard mode"; the commands are: status, plan/,
    ],
    ["status nope", 'unknown command "nope" for "switchyard mode status"\n'],
    ["history nope", "there is no pool 'nope'; the pools are: pods, six\n"],
    ["show nope", /^there is no mode change 'nope'/],
  ];
  for (const [args, error] of cases) {
    test(args, async () => {
      const was = (await cluster.store.list("ModeChange")).items.length;
      const { stdout, stderr, status } = await run(...args.split(" "));
      assert.equal(stdout, "");
      if (typeof error === "string") assert.equal(stderr, error);
      else assert.match(stderr, error);
      assert.equal(status, 1);
      assert.equal(
        (await cluster.store.list("ModeChange")).items.length,
        was,
        "nothing was asked for",
      );
    });
  }

  test("nobody listens", async () => {
    const env = { SWITCHYARD_SOCKET: "/nonexistent.sock" };
    const { stderr, status } = await runWith(env, ["mode", "change", "pods", "--to", "none"]);
    assert.match(
      stderr,
      /^cannot reach the Switchyard server at \/nonexistent\.sock: there is no such socket\n/,
    );
    assert.equal(status, 1);
  });
});
