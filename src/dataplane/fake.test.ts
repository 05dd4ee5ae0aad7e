import assert from "node:assert/strict";
import { it } from "node:test";
import { ipv4, prefix4 } from "../lib/index.ts";
import { dataplaneContract } from "./contract.test-suite.ts";
import { FakeDataplane } from "./fake.ts";
import { FakeKernel } from "./fake-kernel.ts";
import { contractPlan } from "./plan-sketch.test-suite.ts";

function kernel(): FakeKernel {
  return new FakeKernel({
    nodeAddress: "172.139.20.75",
    host: {
      uplink: { name: "eth0", index: 2, mac: "02:00:00:00:00:01", mtu: 1500 },
      interfaces: [{ name: "eth0", mtu: 1500, running: true }],
      routes: [
        { destination: prefix4("0.0.0.0/0"), gateway: ipv4("172.139.20.1"), device: "eth0" },
        { destination: prefix4("172.139.20.0/24"), device: "eth0" },
      ],
    },
  });
}

dataplaneContract({
  name: "the fake",
  plan: contractPlan,
  open: async () => {
    const fake = kernel();
    return {
      dataplane: new FakeDataplane(fake),
      reopen: async () => new FakeDataplane(fake),
      loseRoute: (destination) => fake.loseRoute(destination),
      addForeignRoute: (destination) => {
        fake.hostRoutes.push({ destination: prefix4(destination), device: "eth0" });
      },
      routes: () => fake.routeLines(),
    };
  },
});

it("refuses what it is told to refuse, and does the rest", async () => {
  const fake = kernel();
  const dataplane = new FakeDataplane(fake);
  fake.refuse = (object) => (object === "route 10.244.2.0/26" ? "No buffer space" : undefined);
  const actual = await dataplane.apply(contractPlan("none"));
  assert.deepEqual(actual.failures, [
    { object: "route 10.244.2.0/26", message: "route 10.244.2.0/26: No buffer space" },
  ]);
  assert.deepEqual([...actual.current.keys()], ["10.244.3.0/26"]);
  fake.refuse = () => undefined;
  assert.equal((await dataplane.apply(contractPlan("none"))).changes, 1);
  assert.equal(dataplane.applied.length, 2);
});
