/** Single datagrams between all pods and between all nodes of a lab: who reaches whom right now. */

import { createSocket, type Socket } from "node:dgram";
import { setTimeout as wait } from "node:timers/promises";
import type { LabState } from "../../src/lab/index.ts";
import { ipv4 } from "../../src/lib/index.ts";
import { closeFd, connectTcp, openUdpSocket } from "../../src/lib/sys/index.ts";

const port = 9100;
const BGP = 179;

export interface Member {
  readonly name: string;
  /** Itself, if it is one. */
  readonly node: string;
  /** Bridge of its subnet. */
  readonly subnet: string;
  readonly namespace: string;
  readonly address: string;
}

/** `node1 > node3`. */
export function way(from: Member, to: Member): string {
  return `${from.name} > ${to.name}`;
}

export class FaultMesh {
  readonly pods: readonly Member[];
  readonly nodes: readonly Member[];
  readonly #sockets = new Map<Member, Socket>();
  readonly #heard = new Map<string, number>();
  #round = 0;

  constructor(lab: LabState) {
    this.nodes = lab.nodes.map((node) => ({ ...node, node: node.name }));
    this.pods = lab.pods.map((pod) => {
      const { subnet } = lab.nodes.find(({ name }) => name === pod.node)!;
      return { ...pod, subnet };
    });
    for (const member of [...this.pods, ...this.nodes]) {
      const { namespace, address } = member;
      const socket = createSocket("udp4");
      const receiveBufferBytes = 4 << 20;
      const options = { namespace, address: ipv4(address), port, receiveBufferBytes };
      socket.bind({ fd: openUdpSocket(options) });
      socket.on("message", (data) => {
        const text = data.subarray(0, 64).toString("latin1").split("|")[0]!;
        this.#heard.set(text, (this.#heard.get(text) ?? 0) + 1);
      });
      // ICMP errors of what was sent earlier.
      socket.on("error", () => {});
      this.#sockets.set(member, socket);
    }
  }

  close(): void {
    for (const socket of this.#sockets.values()) socket.close();
  }

  /** Sends along each way at once; how many of `count` arrived, by way. */
  async send(
    ways: readonly (readonly [from: Member, to: Member])[],
    options: {
      readonly count?: number;
      readonly bytes?: number;
      readonly patienceMs?: number;
    } = {},
  ): Promise<ReadonlyMap<string, number>> {
    const { count = 1, bytes = 100, patienceMs = 200 } = options;
    const round = ++this.#round;
    const label = (from: Member, to: Member) => `${round} ${way(from, to)}`;
    for (let index = 0; index < count; index++) {
      for (const [from, to] of ways) {
        const data = Buffer.alloc(bytes, " ");
        data.write(`${label(from, to)}|`);
        this.#sockets.get(from)!.send(data, port, to.address);
      }
      if (index % 20 === 19) await wait(2);
    }
    const heard = () => ways.map(([from, to]) => this.#heard.get(label(from, to)) ?? 0);
    for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += 5) {
      if (heard().every((arrived) => arrived === count)) break;
      await wait(5);
    }
    const arrived = heard();
    return new Map(ways.map(([from, to], index) => [way(from, to), arrived[index]!]));
  }

  /** The ways along which a datagram does not arrive. */
  async broken(
    ways: readonly (readonly [Member, Member])[],
    options: { readonly bytes?: number } = {},
  ): Promise<string[]> {
    // One that is late because the machine is busy is no fault: what has not come is tried again.
    let left = ways;
    for (let attempt = 0; attempt < 2 && left.length > 0; attempt++) {
      const arrived = await this.send(left, options);
      left = left.filter(([from, to]) => arrived.get(way(from, to)) === 0);
    }
    return left.map(([from, to]) => way(from, to)).sort();
  }
}

export function pairsOf(members: readonly Member[]): (readonly [Member, Member])[] {
  return members.flatMap((from) =>
    members.filter((to) => to !== from).map((to) => [from, to] as const),
  );
}

/** Whether a TCP connection to the other node's BGP port is made. */
export async function reachesBgp(from: Member, to: Member): Promise<boolean> {
  try {
    const { namespace } = from;
    closeFd(await connectTcp({ namespace, address: ipv4(to.address), port: BGP, timeoutMs: 400 }));
    return true;
  } catch {
    return false;
  }
}
