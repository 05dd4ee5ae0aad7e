/** The dataplane contract on real kernels: each test in a namespace of its own. */

import type { TestContext } from "node:test";
import { dataplaneContract } from "../../src/dataplane/contract.test-suite.ts";
import { contractPlan } from "../../src/dataplane/plan-sketch.test-suite.ts";
import { inside, Namespaces, obstacleToKernelTests, openIn } from "./dataplane-support.ts";

async function open(context: TestContext) {
  const namespaces = new Namespaces();
  context.after(() => namespaces.close());
  const name = namespaces.make("host");
  inside(
    name,
    `ip link add eth0 type veth peer name wire
     ip link set wire up
     ip link set eth0 up
     ip address add 172.139.20.75/24 dev eth0
     ip route add default via 172.139.20.1`,
  );
  const opened = async () => {
    const dataplane = await openIn(name);
    context.after(() => dataplane.close());
    return dataplane;
  };
  return {
    dataplane: await opened(),
    reopen: opened,
    loseRoute: (destination: string) => void inside(name, `ip route delete ${destination}`),
    addForeignRoute: (destination: string) =>
      void inside(name, `ip route add ${destination} dev eth0 proto static`),
    routes: () => routeLines(name),
  };
}

interface JsonRoute {
  readonly type?: string;
  readonly dst: string;
  readonly dev?: string;
}

function routeLines(name: string): string[] {
  const routes = JSON.parse(inside(name, "ip -j route")) as JsonRoute[];
  return routes.map(({ type, dst, dev }) => `${dst} ${type ?? dev}`).sort();
}

dataplaneContract({
  name: "the kernel, in a namespace",
  skip: obstacleToKernelTests(),
  open,
  plan: contractPlan,
});
