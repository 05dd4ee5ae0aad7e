/** The transport over real sockets: made and given their options by `lib/sys`, run by `node:net`. */

import { createServer } from "node:net";
import {
  errorText,
  familyOf,
  formatAddress,
  type IpAddress,
  ipAddress,
  ipv4,
  SwitchyardError,
} from "../../lib/index.ts";
import {
  dropHandshakes,
  openTcpListener,
  openTcpSocket,
  saveFirstPackets,
  setReusePort,
  setTcpMd5Key,
  setTimeToLive,
} from "../../lib/sys/index.ts";
import { placeOf } from "../place.ts";
import {
  AcceptedConnection,
  NodeConnection,
  setConnectionOptions,
  socketAddress,
  unconnectedSocket,
} from "./node-connection.ts";
import { kernelSignatureFailures } from "./signature-failures.ts";
import type { Connection, Listener, Passwords, Transport } from "./transport.ts";

export const nodeTransport: Transport = {
  signatureFailures: () => kernelSignatureFailures(),

  dial({ address, port, localAddress, device, ...options }, handlers) {
    const fd = openTcpSocket(familyOf(address), {
      ...(device === undefined ? {} : { device }),
      prepare: (made) => setConnectionOptions({ fd: made, peer: address, options }),
    });
    const socket = unconnectedSocket(fd);
    const connection = new NodeConnection(socket, address, options);
    connection.setHandlers(handlers);
    // Of a link-local address without its zone libuv takes the first device that has one.
    const text = (of: IpAddress) => placeOf({ address: of, device });
    socket.connect({
      host: text(address),
      port,
      ...(localAddress === undefined ? {} : { localAddress: text(localAddress) }),
    });
    return connection;
  },

  async listen({ addresses, port, device, passwords, shared = false }, onConnection) {
    const listeners: Listener[] = [];
    const close = () => {
      for (const listener of listeners) listener.close();
    };
    try {
      for (const address of addresses ?? anyAddress) {
        const optional = addresses === undefined;
        const fd = openListener({ address, port, device, passwords, shared, optional });
        if (fd === undefined) continue;
        listeners.push(await serve({ fd, address, passwords, onConnection }));
      }
    } catch (error) {
      close();
      throw error;
    }
    return {
      setPasswords: (changed) => {
        for (const listener of listeners) listener.setPasswords(changed);
      },
      share: (wanted) => {
        for (const listener of listeners) listener.share(wanted);
      },
      drain: () => {
        for (const listener of listeners) listener.drain();
      },
      close,
    };
  },
};

/** A peer with GTSM takes the answer to its SYN only so, and there is no connection yet to be asked. */
const LISTENER_TTL = 255;

/** A socket for each family: a key for an IPv4 peer belongs on an IPv4 socket. */
const anyAddress: readonly IpAddress[] = [ipv4("0.0.0.0"), ipAddress("::")];

interface ListenerOptions {
  readonly address: IpAddress;
  readonly port: number;
  readonly device: string | undefined;
  readonly passwords: Passwords;
  readonly shared: boolean;
  /** A kernel without IPv6 is no reason not to listen on the rest. */
  readonly optional: boolean;
}

function openListener(options: ListenerOptions): number | undefined {
  const { address, port, device, passwords, shared, optional } = options;
  try {
    return openTcpListener({
      address,
      port,
      ...(device === undefined ? {} : { device }),
      prepare: (fd) => {
        if (shared) setReusePort(fd, true);
        setTimeToLive({ fd, family: familyOf(address) }, LISTENER_TTL);
        saveFirstPackets(fd);
        replaceKeys({ fd, address, before: new Map(), wanted: passwords });
      },
    });
  } catch (error) {
    const { errno } = (error as SwitchyardError).details ?? {};
    if (optional && familyOf(address) === 6 && errno === "EAFNOSUPPORT") return undefined;
    const where = `${formatAddress(address)} port ${port}${device === undefined ? "" : ` on ${device}`}`;
    throw new SwitchyardError(
      "SYSTEM_CALL_FAILED",
      `cannot listen for BGP on ${where}: ${errorText(error)}${listenHint(String(errno), port)}`,
      { cause: error },
    );
  }
}

function listenHint(errno: string, port: number): string {
  if (errno === "EADDRINUSE") return ` (who listens there: ss -lntp 'sport = ${port}')`;
  if (errno === "EACCES" && port < 1024) return " (ports below 1024 need CAP_NET_BIND_SERVICE)";
  return "";
}

function serve(options: {
  readonly fd: number;
  readonly address: IpAddress;
  /** Those the socket has. */
  readonly passwords: Passwords;
  readonly onConnection: (connection: Connection) => void;
}): Promise<Listener> {
  const { fd, address, onConnection } = options;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const remote = socketAddress(socket.remoteAddress);
    // Gone again before it was looked at.
    if (remote === undefined) socket.destroy();
    else onConnection(new AcceptedConnection(socket, remote, { ttl: LISTENER_TTL }));
  });
  let before = options.passwords;
  const setPasswords = (wanted: Passwords) => {
    replaceKeys({ fd, address, before, wanted });
    before = wanted;
  };
  return new Promise<Listener>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ fd }, () => {
      server.removeAllListeners("error");
      server.on("error", () => undefined);
      const share = (shared: boolean) => setReusePort(fd, shared);
      const drain = () => dropHandshakes(fd);
      resolve({ setPasswords, share, drain, close: () => server.close() });
    });
  });
}

function replaceKeys(change: {
  readonly fd: number;
  /** Of the socket, which holds keys of its family only. */
  readonly address: IpAddress;
  readonly before: Passwords;
  readonly wanted: Passwords;
}): void {
  const { fd, address, before, wanted } = change;
  const concerned = (peer: IpAddress) => familyOf(peer) === familyOf(address);
  for (const peer of before.keys()) {
    if (concerned(peer) && !wanted.has(peer)) setTcpMd5Key(fd, peer, "");
  }
  for (const [peer, password] of wanted) {
    if (concerned(peer) && before.get(peer) !== password) setTcpMd5Key(fd, peer, password);
  }
}
