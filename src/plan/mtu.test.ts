import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DEFAULT_MTU_IFACE_PATTERN, hostMtu, planMtu } from "./mtu.ts";
import { settings, snapshot } from "./testing/snapshot.ts";
import type { InterfaceFacts, Settings, Snapshot } from "./types.ts";

const up = (name: string, mtu: number): InterfaceFacts => ({ name, mtu, running: true });
const down = (name: string, mtu: number): InterfaceFacts => ({ name, mtu, running: false });

describe("host MTU", () => {
  const cases: [string, InterfaceFacts[], number][] = [
    ["one interface", [up("eth0", 1500)], 1500],
    ["the smallest counts", [up("eth0", 9000), up("ens5", 1400), up("wlan0", 1500)], 1400],
    ["without a carrier does not count", [up("eth0", 9000), down("eth1", 1400)], 9000],
    ["of another name does not count", [up("eth0", 9000), up("docker0", 1400)], 9000],
    ["systemd's names", [up("enp3s0", 9000), up("enP2p1s0", 8000), up("ibp1s0", 2044)], 2044],
    ["the name must begin so", [up("veth0", 1400), up("eth0", 1500)], 1500],
    ["a bond is not matched unless the operator says so", [up("bond0", 9000)], 1460],
    ["nothing at all", [], 1460],
    ["all down", [down("eth0", 9000)], 1460],
  ];
  for (const [name, interfaces, expected] of cases) {
    it(name, () => assert.equal(hostMtu({ interfaces }, DEFAULT_MTU_IFACE_PATTERN), expected));
  }

  it("goes by the operator's pattern", () => {
    const interfaces = [up("bond0", 9000), up("eth0", 1500)];
    assert.equal(hostMtu({ interfaces }, "^bond"), 9000);
    assert.throws(() => hostMtu({ interfaces }, "(["), SyntaxError);
  });
});

describe("pod MTU", () => {
  const mtu = (receive: Snapshot["receive"], changed: Partial<Settings> = {}, nic = 1500) =>
    planMtu({
      host: { ...snapshot().host, interfaces: [up("eth0", nic)] },
      settings: { ...settings, ...changed },
      receive,
    }).pods;

  const cases: [string, number, number][] = [
    ["no tunnel: the host's", mtu([]), 1500],
    ["IP-in-IP", mtu(["ipip"]), 1480],
    ["VXLAN", mtu(["vxlan"]), 1450],
    ["VXLAN over IPv6", mtu(["vxlan-v6"]), 1430],
    ["the smallest while a mode changes", mtu(["none", "ipip", "vxlan"]), 1450],
    ["jumbo frames", mtu(["ipip"], {}, 9000), 8980],
    ["as configured", mtu(["ipip", "vxlan"], { ipipMtu: 1400 }), 1400],
    ["as configured, of the tunnel in use", mtu(["vxlan"], { ipipMtu: 1400 }), 1450],
    ["as configured, above the host's", mtu(["vxlan"], { vxlanMtu: 8950 }), 8950],
  ];
  for (const [name, actual, expected] of cases) it(name, () => assert.equal(actual, expected));
});
