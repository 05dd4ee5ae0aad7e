/** A TCP connection over `node:net`, with the socket options that Node.js has no call for. */

import { Socket } from "node:net";
import {
  familyOf,
  formatAddress,
  type IpAddress,
  parseAddress,
  SwitchyardError,
  systemClock,
} from "../../lib/index.ts";
import {
  initialTimeToLive,
  receiveFd,
  setMinimumTimeToLive,
  setTcpMd5Key,
  setTimeToLive,
} from "../../lib/sys/index.ts";
import { concatBytes } from "../wire/index.ts";
import type { Connection, ConnectionHandlers, ConnectionOptions } from "./transport.ts";

const LINGER_MS = 5000;
const MOST_LINGERING = 256;
const CHUNK_BYTES = 64 * 1024;
/** It is worked on at once, while others wait. */
const MOST_HEARD_BYTES = 1024 * 1024;

export class NodeConnection implements Connection {
  readonly remoteAddress: IpAddress;
  readonly device: string | undefined;
  readonly #socket: Socket;
  #options: ConnectionOptions;
  #handlers: ConnectionHandlers | undefined;
  #reason = "";
  /** Written in this turn of the event loop: messages are small, and a system call for each is dear. */
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;

  /** `options` are those the socket has. */
  constructor(socket: Socket, remoteAddress: IpAddress, options: ConnectionOptions = {}) {
    this.#socket = socket;
    this.remoteAddress = remoteAddress;
    // Node.js tells the zone of a link-local address (RFC 4007 section 11), which is the device's name.
    this.device = socket.remoteAddress?.split("%")[1];
    this.#options = options;
    socket.setNoDelay(true);
    socket.on("error", (error) => {
      this.#reason = error.message;
    });
    socket.on("close", () => this.#handlers?.onClose(this.#reason));
    socket.on("end", () => socket.destroy());
    socket.on("data", (chunk) => this.#handlers?.onData(chunk as unknown as Uint8Array));
    socket.on("drain", () => this.#handlers?.onDrain());
    socket.on("connect", () => this.#handlers?.onConnect());
    const destroy = socket._destroy.bind(socket);
    socket._destroy = (error, callback) => {
      if (error) this.#hearOut();
      destroy(error, callback);
    };
  }

  /**
   * Node.js closes a socket when a write to it fails. The peer may have told why it went, right before its
   * kernel sent the reset that made the write fail: what was not read yet is still there.
   */
  #hearOut(): void {
    const fd = descriptor(this.#socket);
    // A stream that is paused may hold a chunk; whether `read` tells listeners of it depends.
    this.#socket.removeAllListeners("data");
    const buffered: Uint8Array | null = this.#socket.read();
    if (buffered) this.#handlers?.onData(buffered);
    if (fd === undefined) return;
    try {
      for (let left = MOST_HEARD_BYTES; left > 0 && this.#handlers !== undefined; ) {
        const chunk = new Uint8Array(CHUNK_BYTES);
        const bytes = receiveFd(fd, chunk) ?? 0;
        if (bytes === 0) return;
        this.#handlers.onData(chunk.subarray(0, bytes));
        left -= bytes;
      }
    } catch {
      // A reset that a failing write has not told yet: there is no more.
    }
  }

  get localAddress(): IpAddress | undefined {
    return socketAddress(this.#socket.localAddress);
  }

  setHandlers(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
  }

  configure(options: ConnectionOptions): void {
    const fd = descriptor(this.#socket);
    if (fd === undefined) {
      const message = "a BGP connection was closed before its socket options were set";
      throw new SwitchyardError("BGP_CONNECTION_REFUSED", message);
    }
    this.configureSocket(fd, options);
  }

  protected configureSocket(fd: number, options: ConnectionOptions): void {
    setConnectionOptions({ fd, peer: this.remoteAddress, before: this.#options, options });
    this.#options = options;
  }

  write(bytes: Uint8Array): boolean {
    this.#gathered.push(bytes);
    this.#gatheredBytes += bytes.length;
    const { writableLength, writableHighWaterMark } = this.#socket;
    // A full buffer is handed over at once: only then does the socket tell when it has drained.
    if (this.#gatheredBytes + writableLength >= writableHighWaterMark) return this.#flush();
    if (this.#gathered.length === 1) queueMicrotask(() => this.#flush());
    return true;
  }

  #flush(): boolean {
    const messages = this.#gathered;
    if (messages.length === 0) return true;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    return this.#socket.write(messages.length === 1 ? messages[0]! : concatBytes(messages));
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
    this.#flush();
    linger(this.#socket);
  }

  destroy(): void {
    this.#handlers = undefined;
    this.#gathered = [];
    this.#socket.destroy();
  }
}

/** Those that end, the oldest first. */
const lingering = new Set<Socket>();

/**
 * Ends our side, and reads on until the peer ends its own: a socket that is closed with something unread
 * sends a reset, for which a peer may lose the NOTIFICATION right before it. Not for long, though: a peer
 * that is gone acknowledges nothing, and one that reads nothing may send for ever. Nor for many at once.
 */
function linger(socket: Socket): void {
  const limit = systemClock.schedule(LINGER_MS, () => socket.destroy(), { unref: true });
  lingering.add(socket);
  socket.once("close", () => {
    limit.cancel();
    lingering.delete(socket);
  });
  const [oldest = socket] = lingering;
  if (lingering.size > MOST_LINGERING) {
    lingering.delete(oldest);
    oldest.destroy();
  }
  socket.resume();
  // A process that stops waits until all is sent, and no longer.
  socket.end(() => socket.unref());
}

/**
 * The kernel drops what comes from too far only once it is told to, when the connection is there and
 * may have brought data already. So the packet it began with is looked at: it came the same way.
 */
export class AcceptedConnection extends NodeConnection {
  #initialTtl: number | undefined;

  protected override configureSocket(fd: number, options: ConnectionOptions): void {
    const { minimumTtl = 0 } = options;
    if (minimumTtl > 0) {
      this.#initialTtl ??= initialTimeToLive({ fd, family: familyOf(this.remoteAddress) });
      if (this.#initialTtl < minimumTtl) {
        const from = formatAddress(this.remoteAddress);
        throw new SwitchyardError(
          "BGP_CONNECTION_REFUSED",
          `a BGP connection from ${from} came with time to live ${this.#initialTtl}; TTL security (RFC 5082) asks for ${minimumTtl} at least`,
        );
      }
    }
    super.configureSocket(fd, options);
  }
}

/** IPv4 peers of a dual-stack socket appear as `::ffff:a.b.c.d`. */
export function socketAddress(text: string | undefined): IpAddress | undefined {
  if (text === undefined) return undefined;
  return parseAddress(text.startsWith("::ffff:") ? text.slice(7) : text.replace(/%.*$/, ""));
}

/** What brings an option back to what the kernel starts with. */
const KERNEL_DEFAULT_TTL = -1;
const NO_MINIMUM_TTL = 0;

/** Sets only what differs: a kernel need not know an option that nobody uses. @throws SwitchyardError */
export function setConnectionOptions(change: {
  readonly fd: number;
  readonly peer: IpAddress;
  readonly before?: ConnectionOptions;
  readonly options: ConnectionOptions;
}): void {
  const { fd, peer, before = {}, options } = change;
  const socket = { fd, family: familyOf(peer) };
  if (options.password !== before.password) setTcpMd5Key(fd, peer, options.password ?? "");
  if (options.ttl !== before.ttl) setTimeToLive(socket, options.ttl ?? KERNEL_DEFAULT_TTL);
  if (options.minimumTtl !== before.minimumTtl) {
    setMinimumTimeToLive(socket, options.minimumTtl ?? NO_MINIMUM_TTL);
  }
}

/**
 * Node.js keeps the descriptor in the handle of a socket, which its documentation does not name; there
 * is no other way to a socket it has accepted. `undefined` once it is closed.
 */
function descriptor(socket: Socket): number | undefined {
  const { _handle: handle } = socket as unknown as { readonly _handle: { fd: number } | null };
  return handle && handle.fd >= 0 ? handle.fd : undefined;
}

/** Takes over a TCP socket that is not connected yet. */
export function unconnectedSocket(fd: number): Socket {
  // Without `manualStart` it would read before it is connected, and fail.
  const options = { fd, manualStart: true };
  return new Socket(options);
}
