/**
 * What outlives whom: the tunnel its agent (killed with SIGKILL under traffic), other people's filters
 * our tunnel, and a new version the maps of an old one.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, it } from "node:test";
import { objectPath } from "../../src/dataplane/ipip/attachment.ts";
import { decapFilter, encapFilter } from "../../src/dataplane/ipip/filters.ts";
import {
  type IpipBackend,
  type IpipState,
  openIpipBackend,
} from "../../src/dataplane/ipip/index.ts";
import {
  configKey,
  decodeCounters,
  encodeConfig,
  encodeIndex,
  encodeIpv4,
  encodePrefix,
} from "../../src/dataplane/ipip/layout.ts";
import { attachTcFilter, BpfObject, createClsact, withNamespace } from "../../src/lib/sys/index.ts";
import {
  address,
  device,
  ip,
  Namespaces,
  pathOf,
  sh,
  stateOf,
  tc,
  twoNodes,
} from "./ipip-namespaces.ts";
import { probe, startEcho } from "./ipip-traffic.ts";

const namespaces = new Namespaces();
const opened: { close(): void }[] = [];

afterEach(() => {
  for (const thing of opened.splice(0)) thing.close();
  namespaces.remove();
});

async function open(namespace: string): Promise<IpipBackend> {
  const backend = await openIpipBackend({ namespace: pathOf(namespace), prefer: "bpf" });
  opened.push(backend);
  return backend;
}

interface Pair {
  readonly n1: string;
  readonly n2: string;
  readonly state1: IpipState;
  readonly state2: IpipState;
}

function pair(): Pair {
  const [n1, n2] = twoNodes(namespaces);
  const state1 = stateOf({
    namespace: n1,
    local: "172.139.20.75",
    senders: ["172.139.20.76"],
    destinations: ["10.244.2.0/26 via 172.139.20.76"],
  });
  const state2 = stateOf({
    namespace: n2,
    local: "172.139.20.76",
    senders: ["172.139.20.75"],
    destinations: ["10.244.1.0/26 via 172.139.20.75"],
  });
  return { n1, n2, state1, state2 };
}

/** Addresses, routes and an echo at n2, once both tunnels stand. */
async function wire({ n1, n2 }: Pair): Promise<void> {
  address(n1, { own: "10.244.1.0", routes: ["10.244.2.0/26 via 172.139.20.76"] });
  address(n2, { own: "10.244.2.0", routes: ["10.244.1.0/26 via 172.139.20.75"] });
  opened.push(await startEcho({ namespace: n2, address: "10.244.2.0" }));
}

const filtersOf = (namespace: string) =>
  tc(namespace, "filter show dev tunl0 egress") + tc(namespace, "filter show dev eth0 ingress");

const probes = (n1: string, during: () => Promise<void>) =>
  probe({
    from: { namespace: n1, address: "10.244.1.0" },
    to: "10.244.2.0",
    bytes: 200,
    count: 0,
    perSecond: 4000,
    during,
  });

/** A loader that has applied `state`; kill it when done. */
async function load(namespace: string, state: IpipState): Promise<{ kill(): Promise<void> }> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, "ipip-loader.ts"), pathOf(namespace)],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const exit = once(child, "exit");
  child.stdin.write(`${JSON.stringify(state)}\n`);
  const [first] = await Promise.race([once(child.stdout, "data"), exit]);
  assert.match(String(first), /applied/);
  return {
    async kill() {
      child.kill("SIGKILL");
      await exit;
    },
  };
}

describe("an agent that is killed", () => {
  it("leaves the tunnel working, and its successor takes over without a lost packet", async (t) => {
    const nodes = pair();
    const { n1, n2, state1, state2 } = nodes;
    await (await open(n2)).apply(state2);
    let loader = await load(n1, state1);
    await wire(nodes);
    const filters = filtersOf(n1);
    const more = stateOf({
      namespace: n1,
      local: "172.139.20.75",
      senders: ["172.139.20.76", "172.139.20.77"],
      destinations: ["10.244.2.0/26 via 172.139.20.76", "10.244.3.0/26 via 172.139.20.77"],
    });
    const result = await probes(n1, async () => {
      for (const state of [more, state1, more]) {
        await loader.kill();
        loader = await load(n1, state);
      }
    });
    await loader.kill();
    t.diagnostic(`${result.sent} probes through three kills`);
    assert.ok(result.sent > 200);
    assert.deepEqual(result, {
      sent: result.sent,
      received: result.sent,
      reordered: 0,
      intact: true,
    });
    assert.equal(filtersOf(n1), filters, "the same programs stand");
    const counters = await (await open(n1)).counters();
    assert.ok(counters.encapsulated >= result.sent, "the counters go on");
  });

  it("is cleaned up after by a process that never knew its state", async () => {
    const { n1, state1 } = pair();
    const loader = await load(n1, state1);
    await loader.kill();
    await (await open(n1)).remove();
    assert.equal(device(n1, "tunl0"), undefined);
    assert.equal(tc(n1, "qdisc show dev eth0 clsact"), "");
  });

  it("may lose its tunnel device: the decapsulation it left is found and used", async () => {
    const nodes = pair();
    const { n1, n2, state1, state2 } = nodes;
    await (await open(n2)).apply(state2);
    await (await load(n1, state1)).kill();
    ip(n1, "link delete tunl0");
    const decap = tc(n1, "filter show dev eth0 ingress");
    await (await open(n1)).apply(state1);
    assert.equal(tc(n1, "filter show dev eth0 ingress"), decap);
    await wire(nodes);
    const result = await probe({
      from: { namespace: n1, address: "10.244.1.0" },
      to: "10.244.2.0",
      bytes: 64,
      count: 20,
    });
    assert.equal(result.received, 20);
  });
});

/** Our object with one map under another name of the same length: a version whose maps are not ours. */
function strangerVersion(rename: readonly [string, string]): { path: string; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), "switchyard-ipip-"));
  const path = join(directory, "ipip.bpf.o");
  const object = readFileSync(objectPath).toString("latin1").replaceAll(rename[0], rename[1]);
  writeFileSync(path, Buffer.from(object, "latin1"));
  return { path, remove: () => rmSync(directory, { recursive: true }) };
}

for (const old of ["ipip_config", "ipip_senders", "ipip_dests"]) {
  it(`replaces a version with another ${old} under traffic, without a lost packet`, async () => {
    const nodes = pair();
    const { n1, n2, state1, state2 } = nodes;
    await (await open(n2)).apply(state2);
    const renamed = old.replace("ipip", "olde");
    const version = strangerVersion([old, renamed]);
    const name = (map: string) => (map === old ? renamed : map);
    const object = BpfObject.load({
      path: version.path,
      classifiers: ["ipip_encap", "ipip_decap"],
      maps: ["ipip_config", "ipip_dests", "ipip_senders", "ipip_counters"].map(name),
    });
    version.remove();
    const { local, uplink, uplinkMac } = state1;
    ip(n1, `link add tunl0 address ${uplinkMac} mtu 1480 type ifb`);
    const tunnel = device(n1, "tunl0")?.index ?? 0;
    const [destination] = state1.destinations;
    const [sender] = state1.senders;
    assert.ok(destination && sender);
    object
      .map(name("ipip_dests"))
      .set(encodePrefix(destination.prefix), encodeIpv4(destination.node));
    object.map(name("ipip_senders")).set(encodeIpv4(sender), Buffer.from([1, 0, 0, 0]));
    object.map(name("ipip_config")).set(
      configKey,
      encodeConfig({
        local,
        uplink,
        tunnel,
        tunnelMac: uplinkMac,
        accept: true,
        ownsQdisc: true,
      }),
    );
    withNamespace(pathOf(n1), () => {
      createClsact(uplink);
      createClsact(tunnel);
      attachTcFilter(decapFilter(uplink), object.program("ipip_decap"));
      attachTcFilter(encapFilter(tunnel), object.program("ipip_encap"));
    });
    object.close();
    ip(n1, "link set tunl0 up");
    await wire(nodes);
    const filters = filtersOf(n1);
    const result = await probes(n1, async () => {
      await (await load(n1, state1)).kill();
    });
    assert.ok(result.sent > 100);
    assert.deepEqual(result, {
      sent: result.sent,
      received: result.sent,
      reordered: 0,
      intact: true,
    });
    assert.notEqual(filtersOf(n1), filters, "new programs stand");
  });
}

describe("other people's filters on the uplink", () => {
  /** Somebody's classifier after ours: it counts protocol 4 for 172.139.20.99, which is not ours. */
  function addForeign(namespace: string): BpfObject {
    const object = BpfObject.load({
      path: objectPath,
      classifiers: ["ipip_decap"],
      maps: ["ipip_config", "ipip_counters"],
    });
    opened.push(object);
    const device = stateOf({ namespace, local: "172.139.20.99", senders: [], destinations: [] });
    const { local, uplink, uplinkMac: tunnelMac } = device;
    const config = { local, uplink, tunnel: 1, tunnelMac, accept: false, ownsQdisc: false };
    object.map("ipip_config").set(configKey, encodeConfig(config));
    withNamespace(pathOf(namespace), () =>
      attachTcFilter(
        { device: uplink, direction: "ingress", priority: 5000, handle: 7 },
        object.program("ipip_decap"),
      ),
    );
    return object;
  }

  it("stay, and see what is not ours, before, during and after our tunnel", async () => {
    const nodes = pair();
    const { n1, n2, state1 } = nodes;
    tc(n1, "qdisc add dev eth0 clsact");
    const foreign = addForeign(n1);
    const before = tc(n1, "filter show dev eth0 ingress");
    const there = stateOf({
      namespace: n2,
      local: "172.139.20.76",
      senders: ["172.139.20.75"],
      destinations: ["10.244.1.0/26 via 172.139.20.75", "10.244.9.0/26 via 172.139.20.99"],
    });
    await (await open(n2)).apply(there);
    const backend = await open(n1);
    await backend.apply(state1);
    await wire(nodes);
    ip(n1, "addr add 172.139.20.99/32 dev eth0");
    address(n2, { own: "10.244.2.1", routes: ["10.244.9.0/26 via 172.139.20.99"] });
    const seen = () =>
      decodeCounters(
        (index) => foreign.map("ipip_counters").get(encodeIndex(index)) ?? Buffer.alloc(0),
      );
    const passed = await probe({
      from: { namespace: n2, address: "10.244.2.1" },
      to: "10.244.9.1",
      bytes: 64,
      count: 30,
      waitMs: 50,
    });
    assert.equal(passed.received, 0);
    assert.equal(seen().notAccepted, 30);
    const ours = await probes(n1, () => backend.apply(state1));
    assert.equal(ours.received, ours.sent);
    assert.equal(seen().notAccepted, 30);
    assert.ok(tc(n1, "filter show dev eth0 ingress").endsWith(before));
    await backend.remove();
    assert.equal(tc(n1, "filter show dev eth0 ingress"), before);
  });

  it("keep the qdisc that we made, when they came later", async () => {
    const { n1, state1 } = pair();
    const backend = await open(n1);
    await backend.apply(state1);
    addForeign(n1);
    await backend.remove();
    assert.match(tc(n1, "filter show dev eth0 ingress"), /pref 5000 bpf .*handle 0x7/);
    assert.equal(device(n1, "tunl0"), undefined);
  });

  it("in our own place are refused, and not overwritten", async () => {
    const { n1, state1 } = pair();
    const { priority, handle } = decapFilter(state1.uplink);
    tc(n1, "qdisc add dev eth0 clsact");
    tc(
      n1,
      `filter add dev eth0 ingress prio ${priority} handle ${handle} bpf da object-file ${objectPath} section tc`,
    );
    const before = tc(n1, "filter show dev eth0 ingress");
    const backend = await open(n1);
    await assert.rejects(backend.apply(state1), {
      code: "OPERATION_NOT_SUPPORTED",
      message: /ingress of device \d+ has a foreign BPF filter \(ipip_encap\) at priority 4010/,
    });
    assert.equal(tc(n1, "filter show dev eth0 ingress"), before);
  });
});

describe("a tunnel's end", () => {
  it("leaves nothing: no device, no filter, no qdisc of ours, no program", async () => {
    const { n1, state1 } = pair();
    const links = sh(`ip -n ${n1} -br link`);
    const backend = await open(n1);
    await backend.apply(state1);
    assert.match(tc(n1, "qdisc show dev eth0"), /clsact/);
    await backend.remove();
    assert.equal(sh(`ip -n ${n1} -br link`), links);
    assert.doesNotMatch(tc(n1, "qdisc show dev eth0"), /clsact/);
    await backend.remove();
    assert.equal((await backend.counters()).encapsulated, 0);
  });

  it("leaves a qdisc that was there before", async () => {
    const { n1, state1 } = pair();
    tc(n1, "qdisc add dev eth0 clsact");
    const backend = await open(n1);
    await backend.apply(state1);
    await backend.remove();
    assert.match(tc(n1, "qdisc show dev eth0"), /clsact/);
    assert.equal(tc(n1, "filter show dev eth0 ingress"), "");
  });

  it("is the old uplink's when the uplink changes, also across a restart", async () => {
    const { n1, n2, state1, state2 } = pair();
    ip(n1, `link add eth1 type veth peer name eth1 netns ${n2}`);
    ip(n1, "link set eth1 up");
    const eth1 = device(n1, "eth1");
    assert.ok(eth1);
    const moved: IpipState = { ...state1, uplink: eth1.index, uplinkMac: eth1.mac };
    const first = await open(n1);
    await first.apply(state1);
    await first.apply(moved);
    assert.equal(tc(n1, "qdisc show dev eth0 clsact"), "");
    assert.match(tc(n1, "filter show dev eth1 ingress"), /ipip_decap/);
    const second = await open(n1);
    await second.apply(state1);
    assert.equal(tc(n1, "qdisc show dev eth1 clsact"), "");
    assert.match(tc(n1, "filter show dev eth0 ingress"), /ipip_decap/);
    await (await open(n2)).apply(state2);
    await wire({ n1, n2, state1, state2 });
    const from = { namespace: n1, address: "10.244.1.0" };
    const result = await probe({ from, to: "10.244.2.0", bytes: 64, count: 20 });
    assert.equal(result.received, 20);
  });
});

it("an uplink that is gone does not stand in the way of the next", async () => {
  const { n1, n2, state1 } = pair();
  ip(n1, `link add eth1 type veth peer name eth1 netns ${n2}`);
  const eth1 = device(n1, "eth1");
  assert.ok(eth1);
  const backend = await open(n1);
  await backend.apply({ ...state1, uplink: eth1.index, uplinkMac: eth1.mac });
  ip(n1, "link delete eth1");
  await backend.apply(state1);
  assert.match(tc(n1, "filter show dev eth0 ingress"), /ipip_decap/);
  await assert.rejects(backend.apply({ ...state1, uplink: eth1.index }), {
    code: "SYSTEM_CALL_FAILED",
    message: `bpf_tc_hook_create on device ${eth1.index}: No such device`,
  });
  await backend.apply(state1);
});

describe("the choice of a backend", () => {
  const kernelHasIpip = () => {
    const namespace = namespaces.add("probe");
    try {
      ip(namespace, "link add ipip9 type ipip remote 192.0.2.1 local 192.0.2.2");
      return true;
    } catch (error) {
      assert.match(String(error), /Unknown device type|Operation not supported/);
      return false;
    }
  };

  it("takes the kernel's module where there is one, else BPF, and says which", async () => {
    const expected = kernelHasIpip() ? "kernel" : "bpf";
    const namespace = namespaces.add("a");
    const backend = await openIpipBackend({ namespace: pathOf(namespace) });
    opened.push(backend);
    assert.equal(backend.kind, expected);
    if (expected === "kernel") return;
    await assert.rejects(openIpipBackend({ namespace: pathOf(namespace), prefer: "kernel" }), {
      code: "PREREQUISITE_MISSING",
      message: "cannot make tunl0 with the kernel's ipip module: this kernel has none",
    });
    assert.equal(device(namespace, "tunl0"), undefined);
  });

  it("refuses a tunl0 of another kind", async () => {
    const namespace = namespaces.add("a");
    ip(namespace, "link add tunl0 type bridge");
    await assert.rejects(openIpipBackend({ namespace: pathOf(namespace) }), {
      code: "OPERATION_NOT_SUPPORTED",
      message: /tunl0 exists as a device of kind bridge/,
    });
  });

  it("stays with the BPF tunnel that stands", async () => {
    const { n1, state1 } = pair();
    await (await open(n1)).apply(state1);
    const again = await openIpipBackend({ namespace: pathOf(n1) });
    opened.push(again);
    assert.equal(again.kind, "bpf");
    await assert.rejects(openIpipBackend({ namespace: pathOf(n1), prefer: "kernel" }), {
      code: "OPERATION_NOT_SUPPORTED",
    });
  });
});
