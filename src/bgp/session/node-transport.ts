/** The transport over `node:net`. */

import { connect, createServer, type Socket } from "node:net";
import { formatAddress, type IpAddress, parseAddress, SwitchyardError } from "../../lib/index.ts";
import type { Connection, ConnectionHandlers, Listener, Transport } from "./transport.ts";

const LINGER_MS = 5000;

class NodeConnection implements Connection {
  readonly remoteAddress: IpAddress;
  readonly #socket: Socket;
  #handlers: ConnectionHandlers | undefined;
  #reason = "";

  constructor(socket: Socket, remoteAddress: IpAddress) {
    this.#socket = socket;
    this.remoteAddress = remoteAddress;
    socket.setNoDelay(true);
    socket.on("error", (error) => {
      this.#reason = error.message;
    });
    socket.on("close", () => this.#handlers?.onClose(this.#reason));
    socket.on("end", () => socket.destroy());
    socket.on("data", (chunk) => this.#handlers?.onData(chunk as unknown as Uint8Array));
    socket.on("drain", () => this.#handlers?.onDrain());
    socket.on("connect", () => this.#handlers?.onConnect());
  }

  get localAddress(): IpAddress | undefined {
    return socketAddress(this.#socket.localAddress);
  }

  setHandlers(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
  }

  write(bytes: Uint8Array): boolean {
    return this.#socket.write(bytes);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#handlers = undefined;
    if (this.#socket.connecting) {
      this.#socket.destroy();
      return;
    }
    // A peer that is gone acknowledges nothing.
    this.#socket.setTimeout(LINGER_MS, () => this.#socket.destroy());
    // The peer may never close its side, and unread input must not hold ours open.
    this.#socket.resume();
    this.#socket.end(() => this.#socket.destroy());
  }

  destroy(): void {
    this.#handlers = undefined;
    this.#socket.destroy();
  }
}

/** IPv4 peers of a dual-stack listener appear as `::ffff:a.b.c.d`. */
function socketAddress(text: string | undefined): IpAddress | undefined {
  if (text === undefined) return undefined;
  return parseAddress(text.startsWith("::ffff:") ? text.slice(7) : text.replace(/%.*$/, ""));
}

export const nodeTransport: Transport = {
  dial({ address, port, localAddress }, handlers) {
    const socket = connect({
      host: formatAddress(address),
      port,
      ...(localAddress === undefined ? {} : { localAddress: formatAddress(localAddress) }),
    });
    const connection = new NodeConnection(socket, address);
    connection.setHandlers(handlers);
    return connection;
  },

  async listen({ addresses, port }, onConnection) {
    const listeners: Listener[] = [];
    const close = () => {
      for (const listener of listeners) listener.close();
    };
    try {
      for (const host of addresses?.map(formatAddress) ?? [undefined]) {
        listeners.push(await listenOn({ host, port }, onConnection));
      }
    } catch (error) {
      close();
      throw error;
    }
    return { close };
  },
};

function listenOn(
  { host, port }: { readonly host: string | undefined; readonly port: number },
  onConnection: (connection: Connection) => void,
): Promise<Listener> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const remote = socketAddress(socket.remoteAddress);
    // Gone again before it was looked at.
    if (remote === undefined) socket.destroy();
    else onConnection(new NodeConnection(socket, remote));
  });
  return new Promise<Listener>((resolve, reject) => {
    server.once("error", (error) => {
      const where = `${host ?? "any address"} port ${port}`;
      reject(
        new SwitchyardError(
          "SYSTEM_CALL_FAILED",
          `cannot listen for BGP on ${where}: ${error.message}`,
          { cause: error },
        ),
      );
    });
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      server.removeAllListeners("error");
      server.on("error", () => undefined);
      resolve({ close: () => server.close() });
    });
  });
}
