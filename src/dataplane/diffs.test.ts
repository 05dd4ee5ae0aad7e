import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatAddress, formatPrefix, ipv4, prefix4 } from "../lib/index.ts";
import type { LinkAddress } from "../netlink/index.ts";
import { diffAddresses } from "./address-diff.ts";
import { defaultOwnership } from "./ownership.ts";
import { sysctlDevice } from "./sysctl.ts";
import { diffVxlanEntries, unneeded } from "./vxlan-entries.ts";
import { workloadDeviceName } from "./workload.ts";

describe("diffVxlanEntries", () => {
  const index = 4;
  const permanent = { index, state: "permanent" } as const;
  const peer = (n: number) => ({
    address: ipv4(`10.244.${n}.0`),
    mac: `66:00:00:00:00:0${n}`,
    node: ipv4(`172.139.20.${n}`),
  });
  const neighbour = (n: number, mac = peer(n).mac) => ({
    ...permanent,
    address: peer(n).address,
    mac,
  });
  const fdb = (n: number, node = n) => ({
    ...permanent,
    mac: peer(n).mac,
    destination: peer(node).node,
  });
  const diff = (
    wanted: readonly number[],
    neighbours: readonly ReturnType<typeof neighbour>[],
    entries: readonly ReturnType<typeof fdb>[],
  ) => {
    const result = diffVxlanEntries({ index, wanted: wanted.map(peer), neighbours, fdb: entries });
    const text = (entry: { mac: string; destination?: unknown }) =>
      `${entry.mac.slice(-1)}>${formatAddress(entry.destination as never).split(".")[3]}`;
    return {
      result,
      add: result.addNeighbours.map((entry) => entry.mac).sort(),
      addFdb: result.addFdb.map(text),
      stale: result.staleNeighbours.map((entry) => entry.mac),
      staleFdb: result.staleFdb.map(text),
    };
  };

  it("adds what is missing or wrong, and finds what is too much", () => {
    const { add, addFdb, stale, staleFdb } = diff(
      [1, 2, 3],
      [neighbour(1), neighbour(2, "66:00:00:00:00:09"), neighbour(7)],
      [fdb(1), fdb(2, 9), fdb(7)],
    );
    assert.deepEqual(add, [peer(2).mac, peer(3).mac]);
    assert.deepEqual(addFdb, ["2>2", "3>3"]);
    assert.deepEqual(stale, [peer(7).mac]);
    assert.deepEqual(staleFdb, ["7>7"]);
  });

  it("removes a second remote beside the right one", () => {
    const { addFdb, staleFdb } = diff([1], [neighbour(1)], [fdb(1), fdb(1, 9)]);
    assert.deepEqual([addFdb, staleFdb], [[], ["1>9"]]);
  });

  it("leaves the kernel's entries without a remote", () => {
    const kernels = { ...permanent, mac: "00:00:00:00:00:00" };
    const result = diffVxlanEntries({ index, wanted: [], neighbours: [], fdb: [kernels] });
    assert.deepEqual(result.staleFdb, []);
  });

  it("keeps what a route still leads to", () => {
    const { result } = diff([], [neighbour(1), neighbour(2)], [fdb(1), fdb(2)]);
    const rest = unneeded(result, new Set([peer(1).address]));
    assert.deepEqual(rest.staleNeighbours, [neighbour(2)]);
    assert.deepEqual(rest.staleFdb, [fdb(2)]);
  });
});

describe("diffAddresses", () => {
  const names = new Map([
    [2, "eth0"],
    [3, "tunl0"],
    [1, "lo"],
    [4, "cali0123456789a"],
  ]);
  const at = (index: number, text: string): LinkAddress => ({
    index,
    prefix: prefix4(text),
    scope: "global",
  });
  const diff = (planned: readonly string[], held: readonly LinkAddress[], device = "tunl0") => {
    const result = diffAddresses({
      planned: planned.map((text) => ({ device, prefix: prefix4(text) })),
      ownership: defaultOwnership,
      held,
      deviceIndex: (name) => [...names].find(([, known]) => known === name)?.[0],
      deviceName: (index) => names.get(index),
    });
    return [result.add, result.stale].map((list) =>
      list.map((entry) => formatPrefix(entry.prefix)),
    );
  };

  it("leaves exactly the planned address on our devices, and others' devices alone", () => {
    const held = [at(3, "10.244.1.9/32"), at(2, "172.139.20.75/24")];
    assert.deepEqual(diff(["10.244.1.0/32"], held), [["10.244.1.0/32"], ["10.244.1.9/32"]]);
    assert.deepEqual(diff(["10.244.1.9/32"], held), [[], []]);
  });

  it("takes from lo only what says that it is ours", () => {
    const ours = { ...at(1, "10.244.1.9/32"), protocol: 80 };
    const held = [at(1, "127.0.0.1/8"), { ...at(1, "192.0.2.1/32"), protocol: 1 }, ours];
    assert.deepEqual(diff([], held, "lo"), [[], ["10.244.1.9/32"]]);
    assert.deepEqual(diff(["10.244.1.9/32"], held, "lo"), [[], []]);
  });

  it("takes from pods' devices only what says that it is ours, and from others nothing", () => {
    const ours = { ...at(4, "169.254.0.179/32"), protocol: 12 };
    const held = [ours, at(4, "192.0.2.1/32"), { ...at(2, "192.0.2.2/32"), protocol: 12 }];
    assert.deepEqual(diff([], held, "cali0123456789a"), [[], ["169.254.0.179/32"]]);
    assert.deepEqual(diff(["169.254.0.179/32"], held, "cali0123456789a"), [[], []]);
  });

  it("takes another length for another address", () => {
    const held = [at(3, "10.244.1.0/26")];
    assert.deepEqual(diff(["10.244.1.0/32"], held), [["10.244.1.0/32"], ["10.244.1.0/26"]]);
  });
});

it("sysctlDevice finds the device, dots and all", () => {
  assert.equal(sysctlDevice("net/ipv4/conf/vxlan.calico/rp_filter"), "vxlan.calico");
  assert.equal(sysctlDevice("net/ipv4/neigh/cali0/proxy_delay"), "cali0");
  assert.equal(sysctlDevice("net/ipv4/conf/all/rp_filter"), undefined);
  assert.equal(sysctlDevice("net/ipv4/ip_forward"), undefined);
});

it("workloadDeviceName is cali and 11 digits of the SHA-1 of namespace.pod", () => {
  // printf default.web | sha1sum
  assert.equal(workloadDeviceName("default", "web"), "cali68caf03a5f4");
});
