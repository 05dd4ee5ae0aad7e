/** Shows that a pod is reached by its own address from beyond the router, and what the world sees of it. */

import { createSocket, type Socket } from "node:dgram";
import { type Clock, deadline, ipAddress, SwitchyardError } from "../../lib/index.ts";
import { openUdpSocket } from "../../lib/sys/index.ts";
import type { Endpoint } from "../probe/index.ts";

const PORT = 9004;

/** The source address under which a datagram of `from` arrives at `to`. @throws LAB_FAILED if it does not. */
export async function observedSource(from: Endpoint, to: Endpoint, clock: Clock): Promise<string> {
  // Another port than the receiver's: the same pair of ports the other way round would be an answer to
  // an earlier datagram, which conntrack never translates.
  const sender = await open(from, 0);
  const receiver = await open(to, PORT);
  try {
    return await new Promise<string>((resolve, reject) => {
      receiver.once("message", (_data, { address }) => resolve(address));
      deadline(clock, 2000).addEventListener("abort", () => {
        const path = `${from.name} (${from.address}) to ${to.name} (${to.address})`;
        reject(new SwitchyardError("LAB_FAILED", `a datagram from ${path} did not arrive`));
      });
      sender.send("hello", PORT, to.address);
    });
  } finally {
    sender.close();
    receiver.close();
  }
}

function open({ namespace, address }: Endpoint, port: number): Promise<Socket> {
  const fd = openUdpSocket({ namespace, address: ipAddress(address), port });
  const socket = createSocket("udp4");
  return new Promise((resolve) => socket.bind({ fd }, () => resolve(socket)));
}
