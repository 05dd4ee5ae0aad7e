/**
 * A lab from beginning to end on the real kernel: up, used, repaired, down with nothing left. Each test
 * has a lab of its own name, so that a lab the developer has running is not touched.
 */

import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { after, test } from "node:test";
import { promisify } from "node:util";
import {
  killAgent,
  type LabState,
  labDown,
  labStatus,
  labUp,
  loadLab,
  startAgent,
} from "../../src/lab/index.ts";
import { listNamespaces } from "../../src/lib/sys/index.ts";

const run = promisify(execFile);
const skip = process.getuid?.() === 0 ? false : "needs root: it makes network namespaces";
const switchyard = new URL("../../bin/switchyard", import.meta.url).pathname;
const names: string[] = [];

/** A name that no other test run on this machine has. */
function labName(suffix: string): string {
  const name = `t${process.pid}${suffix}`;
  names.push(name);
  return name;
}

after(async () => {
  if (!skip) for (const name of names) await labDown({ name });
});

const directoryOf = (name: string) => `/run/switchyard/lab-${name}`;

/** Everything that a lab of this name could leave on the machine. */
function leftOf(name: string): string[] {
  const left = listNamespaces().filter((entry) => entry.startsWith(`${name}-`));
  if (existsSync(directoryOf(name))) left.push(directoryOf(name));
  for (const entry of readdirSync("/proc")) {
    if (!/^[0-9]+$/.test(entry) || Number(entry) === process.pid) continue;
    try {
      const environment = readFileSync(`/proc/${entry}/environ`, "latin1");
      if (!environment.includes(directoryOf(name))) continue;
      left.push(`process ${entry} ${readFileSync(`/proc/${entry}/comm`, "utf8").trim()}`);
    } catch {
      // it ended meanwhile
    }
  }
  // Agents and pods leave no device or table in the namespace the lab was made from.
  const links = JSON.parse(execFileSync("ip", ["-j", "link"], { encoding: "utf8" }));
  for (const { ifname } of links) if (/^(node|cali|br[23]0|tunl0)/.test(ifname)) left.push(ifname);
  const tables = execFileSync("nft", ["list", "tables"], { encoding: "utf8" });
  if (/switchyard/i.test(tables)) left.push(tables.trim());
  return left;
}

async function inMember(lab: LabState, member: string, ...command: string[]): Promise<string> {
  const args = ["lab", "--name", lab.name, "exec", member, "--", ...command];
  return (await run(switchyard, args)).stdout;
}

test("up, exec, status, up again, kill, restart, down", { skip, timeout: 300_000 }, async (t) => {
  const name = labName("a");
  const lines: string[] = [];
  const lab = await labUp({ name, onProgress: (line) => lines.push(line) });
  const first = lab.pods[0]!;
  const last = lab.pods.at(-1)!;

  await t.test("every node and pod is there, and says so", async () => {
    assert.equal(lab.nodes.length, 4);
    assert.equal(lab.pods.length, 8);
    assert.ok(lab.nodes.every(({ pid }) => pid !== undefined));
    const status = await labStatus({ name });
    assert.deepEqual(status?.problems, []);
    assert.ok(status.healthy);
    assert.equal(status.mode, "ipip");
    assert.deepEqual(
      status.router.sessions.map(({ peer, state }) => `${peer} ${state}`),
      lab.nodes.map((node) => `${node.name} Established`),
    );
    assert.deepEqual(
      lines.map((line) => line.replace(/ \([0-9]+ ms\)$/, "")).at(0),
      "network: 4 nodes, 8 pods, router, outside",
    );
  });

  await t.test("the router learned each node's block by BGP, towards that node", async () => {
    const routes = JSON.parse(
      execFileSync("ip", ["-n", `${name}-router`, "-j", "route", "show", "proto", "bird"], {
        encoding: "utf8",
      }),
    ) as { dst: string; gateway: string }[];
    const gateways = routes.map(({ gateway }) => gateway).sort();
    assert.deepEqual(gateways, lab.nodes.map(({ address }) => address).sort());
    const all = execFileSync("ip", ["-n", `${name}-router`, "route"], { encoding: "utf8" });
    assert.ok(!/10\.244\..*proto static/.test(all), all);
  });

  await t.test("a command runs inside: own network, own exit code, own switchyard", async () => {
    const addresses = JSON.parse(
      await inMember(lab, first.name, "ip", "-j", "-4", "addr", "show", "eth0"),
    );
    assert.equal(addresses[0].addr_info[0].local, first.address);
    const node = await inMember(
      lab,
      last.node,
      "sh",
      "-c",
      "echo $SWITCHYARD_NODE $SWITCHYARD_SOCKET; command -v switchyard",
    );
    assert.equal(node, `${last.node} ${lab.socketPath}\n${switchyard}\n`);
    // Signals that Node.js ignores are the command's own again: `yes` dies of SIGPIPE without a word.
    const piped = ["lab", "--name", name, "exec", "outside", "--", "sh", "-c", "yes | head -n 1"];
    assert.deepEqual(await run(switchyard, piped), { stdout: "y\n", stderr: "" });
    await assert.rejects(inMember(lab, "outside", "sh", "-c", "exit 7"), { code: 7 });
    const pools = await inMember(lab, "node1", "switchyard", "get", "ippool", "-o", "wide");
    assert.match(pools, /default-ipv4-ippool\s+10\.244\.0\.0\/16\s+true\s+Always\s+Never/);
  });

  await t.test("an unknown member is named, with those there are", async () => {
    await assert.rejects(
      inMember(lab, "node9", "true"),
      (error: { code: number; stderr: string; stdout: string }) => {
        assert.equal(error.code, 1);
        assert.match(
          error.stderr + error.stdout,
          /the lab has no "node9"; it has node1, .*pod4b, router, outside/,
        );
        return true;
      },
    );
  });

  await t.test("up again changes nothing", async () => {
    const again = await labUp({ name });
    assert.deepEqual(again, lab);
    await assert.rejects(labUp({ name, nodes: 3 }), {
      code: "INVALID_ARGUMENT",
      message: "the lab is there with nodes=4, not 3: `lab down` first",
    });
    await assert.rejects(labUp({ name, mode: "vxlan" }), {
      code: "INVALID_ARGUMENT",
      message: /^the lab is there in mode ipip, not vxlan: change it with/,
    });
  });

  await t.test("a dead agent shows, the router keeps its routes, and it comes back", async () => {
    await killAgent(lab, "node2");
    await assert.rejects(killAgent(lab, "node2"), {
      code: "LAB_FAILED",
      message: "the agent of node2 does not run",
    });
    const dead = await labStatus({ name });
    assert.equal(dead?.healthy, false);
    assert.ok(
      dead.problems.some((line) => line.startsWith("node2: its agent does not run; its log is /")),
    );
    assert.equal(Object.keys(dead.router.routes).length, 4, "kept by graceful restart");
    const pid = await startAgent(lab, "node2");
    assert.equal((await loadLab({ name }))?.nodes[1]?.pid, pid);
    await labUp({ name });
    assert.deepEqual((await labStatus({ name }))?.problems, []);
  });

  await t.test(
    "the router's kernel sees nothing of its process being killed and replaced",
    async () => {
      const monitor = spawn("ip", ["-n", `${name}-router`, "monitor", "route"]);
      let events = "";
      monitor.stdout.on("data", (chunk) => {
        events += chunk;
      });
      const ended = once(monitor, "close");
      // Proves that the monitor listens: a route of ours that is no bird's.
      const marker = ["-n", `${name}-router`, "route", "replace", "192.0.2.1", "dev", "br20"];
      while (events === "") await run("ip", marker);
      events = "";
      process.kill((await loadLab({ name }))!.router.pid!, "SIGKILL");
      await labUp({ name });
      await run("ip", ["-n", `${name}-router`, "route", "delete", "192.0.2.1", "dev", "br20"]);
      while (!events.includes("Deleted 192.0.2.1")) await once(monitor.stdout, "data");
      monitor.kill();
      await ended;
      assert.doesNotMatch(events, /10\.244\./);
    },
  );

  await t.test("whatever is killed, up repairs it", async () => {
    const before = (await loadLab({ name }))!;
    for (const pid of [before.server.pid, before.router.pid, before.nodes[3]?.pid]) {
      process.kill(pid!, "SIGKILL");
    }
    const repaired = await labUp({ name });
    assert.deepEqual(
      repaired.pods.map(({ address }) => address),
      lab.pods.map(({ address }) => address),
    );
    assert.ok((await labStatus({ name }))?.healthy);
  });

  await t.test("down leaves nothing, not even of processes killed or started inside", async () => {
    const before = (await loadLab({ name }))!;
    process.kill(before.nodes[0]!.pid!, "SIGKILL");
    process.kill(before.server.pid!, "SIGKILL");
    const guest = spawn("nsenter", [`--net=${first.namespace}`, "sleep", "300"], {
      stdio: "ignore",
    });
    const ended = once(guest, "exit");
    await once(guest, "spawn");
    const report = await labDown({ name });
    assert.equal(report.namespaces.length, 14);
    await ended;
    assert.deepEqual(leftOf(name), []);
    assert.equal(await labStatus({ name }), undefined);
    assert.deepEqual(await labDown({ name }), { processes: 0, namespaces: [] });
  });
});

test("a half-failed up: nothing is left after down, and up can go on", {
  skip,
  timeout: 180_000,
}, async () => {
  const name = labName("b");
  const args = ["lab", "--name", name, "up", "--nodes", "2", "--pods-per-node", "1"];
  for (const waitFor of ["lab.json", "api.sock", "router.sock", "nodes/node2/agent.sock"]) {
    const child = spawn(switchyard, args, { stdio: "ignore" });
    const ended = once(child, "exit");
    const ticks = setInterval(() => {
      if (existsSync(`${directoryOf(name)}/${waitFor}`)) child.kill("SIGKILL");
    }, 1);
    await ended;
    clearInterval(ticks);
    if (waitFor === "router.sock") {
      assert.equal((await labUp({ name })).pods.length, 2);
      assert.ok((await labStatus({ name }))?.healthy);
    }
    await labDown({ name });
    assert.deepEqual(leftOf(name), [], `killed once ${waitFor} was there`);
  }
});

test("two ups at once make one lab", { skip, timeout: 180_000 }, async () => {
  const name = labName("c");
  const args = ["lab", "--name", name, "up", "--nodes", "1", "--pods-per-node", "1", "--quiet"];
  await Promise.all([run(switchyard, args), run(switchyard, args)]);
  const status = await labStatus({ name });
  assert.ok(status?.healthy);
  // An agent's `nft` comes and goes.
  const processes = leftOf(name).filter((line) => /^process .*(?<! nft)$/.test(line));
  assert.equal(processes.length, 3, "server, router, one agent");
  await labDown({ name });
  assert.deepEqual(leftOf(name), []);
});
