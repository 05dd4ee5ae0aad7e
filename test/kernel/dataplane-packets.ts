/** Single datagrams between namespaces, with the source the receiver sees. */

import { createSocket, type Socket } from "node:dgram";
import type { TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { ipv4 } from "../../src/lib/index.ts";
import { namespacePath, openUdpSocket } from "../../src/lib/sys/index.ts";

export interface Datagram {
  readonly text: string;
  readonly source: string;
  readonly port: number;
}

/** A UDP socket in a namespace. Opened there, it stays there. */
export class Mailbox {
  readonly #socket: Socket;
  readonly #received: Datagram[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("message", (message, { address: source, port }) => {
      this.#received.push({ text: message.toString(), source, port });
    });
    // ICMP errors of what was sent earlier.
    socket.on("error", () => {});
  }

  static open(
    context: TestContext,
    namespace: string,
    local: { readonly address?: string; readonly port?: number } = {},
  ): Mailbox {
    const { address, port } = local;
    const fd = openUdpSocket({
      namespace: namespacePath(namespace),
      ...(address === undefined ? {} : { address: ipv4(address) }),
      ...(port === undefined ? {} : { port }),
    });
    const socket = createSocket("udp4");
    // With a descriptor this is done at once, `listening` included.
    socket.bind({ fd });
    context.after(() => void socket.close());
    return new Mailbox(socket);
  }

  send(text: string, to: string, port: number): void {
    this.#socket.send(text, port, to);
  }

  /** The datagram with that text, or undefined if it does not come in time. */
  async receive(text: string, timeoutMs = 1000): Promise<Datagram | undefined> {
    for (let waitedMs = 0; ; waitedMs += 5) {
      const found = this.#received.find((datagram) => datagram.text === text);
      if (found !== undefined || waitedMs >= timeoutMs) return found;
      await wait(5);
    }
  }
}
