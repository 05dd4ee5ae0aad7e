/**
 * Three nodes for traffic tests, two in one subnet and one beyond a router, each with one pod:
 *
 *     n1 .75 --+                                   +-- .75 n3
 *     n2 .76 --+-- br20 172.139.20.1 | 172.139.30.1 br30
 *  outside .200 +            router
 *
 * The nodes' default route leads nowhere, so that nothing but the planned routes carries their pods'
 * packets. It must exist: the kernel answers a pod's ARP for 169.254.1.1 only if it has a route to it.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { attachWorkload, type Dataplane, workloadDeviceName } from "../../src/dataplane/index.ts";
import {
  NODES,
  type NodeSketch,
  type PlanSketch,
  planFor,
} from "../../src/dataplane/plan-sketch.test-suite.ts";
import { ipv4 } from "../../src/lib/index.ts";
import { namespacePath } from "../../src/lib/sys/index.ts";
import type { NodePlan } from "../../src/plan/index.ts";
import { inside, Namespaces, openIn } from "./dataplane-support.ts";

export interface ClusterNode {
  readonly sketch: NodeSketch;
  /** Name of its namespace. */
  readonly namespace: string;
  /** Name of its pod's namespace. */
  readonly pod: string;
  readonly podAddress: string;
  readonly podDevice: string;
  readonly dataplane: Dataplane;
}

export interface Cluster {
  readonly nodes: readonly [ClusterNode, ClusterNode, ClusterNode];
  readonly router: string;
  /** A host in the first subnet that is no node: 172.139.20.200. */
  readonly outside: string;
  plan(
    node: ClusterNode,
    sketch: Pick<PlanSketch, "send" | "receive" | "natOutgoing" | "change">,
  ): NodePlan;
}

export const OUTSIDE = "172.139.20.200";

export async function makeCluster(context: TestContext): Promise<Cluster> {
  const namespaces = new Namespaces();
  const closers: (() => Promise<void>)[] = [];
  context.after(async () => {
    for (const close of closers) await close();
    namespaces.close();
  });
  const router = namespaces.make("router");
  inside(
    router,
    `for n in 20 30; do
       ip link add br$n type bridge; ip link set br$n up; ip address add 172.139.$n.1/24 dev br$n
     done
     echo 1 >/proc/sys/net/ipv4/ip_forward`,
  );
  const plug = (name: string, port: string, address: string) => {
    const subnet = address.split(".")[2];
    inside(
      name,
      `ip link add eth0 type veth peer name ${port} netns ${router}
       ip link set eth0 up; ip address add ${address}/24 dev eth0
       ip route add ${subnet === "20" ? "172.139.30.0/24" : "172.139.20.0/24"} via 172.139.${subnet}.1
       ip route add default via 172.139.${subnet}.254`,
    );
    inside(router, `ip link set ${port} up master br${subnet}`);
  };
  const outside = namespaces.make("outside");
  plug(outside, "outside", OUTSIDE);
  const nodes: ClusterNode[] = [];
  for (const sketch of NODES) {
    const namespace = namespaces.make(sketch.name);
    plug(namespace, sketch.name, sketch.address);
    // What BGP does in a real fabric: the router knows where the blocks are.
    inside(router, `ip route add ${sketch.block} via ${sketch.address}`);
    const pod = namespaces.make(`${sketch.name}p`);
    const podDevice = workloadDeviceName("default", pod);
    const podAddress = sketch.block.replace("0/26", "5");
    await attachWorkload({
      hostNamespace: namespacePath(namespace),
      podNamespace: namespacePath(pod),
      hostDevice: podDevice,
      podDevice: "eth0",
      addresses: [ipv4(podAddress)],
      mtu: 1450,
    });
    const dataplane = await openIn(namespace);
    closers.push(() => dataplane.close());
    nodes.push({ sketch, namespace, pod, podAddress, podDevice, dataplane });
  }
  return {
    nodes: nodes as unknown as Cluster["nodes"],
    router,
    outside,
    plan: (node, sketch) =>
      planFor({
        ...sketch,
        local: node.sketch,
        remotes: NODES.filter((other) => other !== node.sketch),
        pods: [{ address: node.podAddress, device: node.podDevice }],
      }),
  };
}

export interface FlowResult {
  readonly sent: number;
  readonly lost: number;
  readonly reordered: number;
  readonly maxGapMs: number;
}

/** Runs between all pods, both ways, until {@link Probe.stop}. */
export class Probe {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  }

  static async start(context: TestContext, { nodes: [a, b, c] }: Cluster): Promise<Probe> {
    const end = (node: ClusterNode) => `${namespacePath(node.pod)}=${node.podAddress}`;
    const pairs = [
      [a, b],
      [a, c],
      [b, c],
    ].map((pair) => pair.map((node) => end(node!)).join(","));
    const script = new URL("dataplane-probe.ts", import.meta.url).pathname;
    const child = spawn(process.execPath, [script, ...pairs], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    context.after(() => void child.kill("SIGKILL"));
    const probe = new Probe(child);
    await probe.#lines.next();
    return probe;
  }

  async stop(): Promise<readonly FlowResult[]> {
    this.#child.stdin!.end();
    const { value } = await this.#lines.next();
    await once(this.#child, "exit");
    return JSON.parse(value as string) as FlowResult[];
  }
}
