/** Raw file descriptors: open, close, and waiting for them in libuv's thread pool. */

import { lastErrno, libc } from "./libc.ts";
import { check, errnoNumbers, systemCallError } from "./system-error.ts";

const O_CLOEXEC = 0o2000000;
const POLLIN = 1;
const POLLOUT = 4;
const EFD_CLOEXEC_NONBLOCK = 0o2004000;

/** open(2), close-on-exec. */
export function openPath(path: string, flags = 0): number {
  return check(libc.open(path, flags | O_CLOEXEC, 0), "open", path);
}

/** close(2). Linux frees the descriptor whatever the result, so failures are not reported. */
export function closeFd(fd: number): void {
  libc.close(fd);
}

/** An eventfd: {@link wake} makes it readable for good. */
export function openWaker(): number {
  return check(libc.eventfd(0, EFD_CLOEXEC_NONBLOCK), "eventfd", "a new counter");
}

export function wake(waker: number): void {
  libc.write(waker, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0), 8);
}

/**
 * Waits in a thread of libuv's pool until one of the descriptors is readable (or, of `writable`, ready to
 * be written) or the time is over. One wait holds one of the pool's threads (4 unless
 * UV_THREADPOOL_SIZE says otherwise), and the process cannot exit before it ends: keep waits short.
 */
export function waitForFds(options: {
  readonly readable?: readonly number[];
  readonly writable?: readonly number[];
  readonly timeoutMs: number;
}): Promise<boolean> {
  const { readable = [], writable = [], timeoutMs } = options;
  const fds = new Int32Array([
    ...readable.flatMap((fd) => [fd, POLLIN]),
    ...writable.flatMap((fd) => [fd, POLLOUT]),
  ]);
  return new Promise((resolve, reject) => {
    libc.poll.async(fds, fds.length / 2, timeoutMs, (error, ready) => {
      // errno belongs to the pool's thread and is gone here; EINTR is all poll can say of good input.
      if (error) reject(error);
      else resolve(ready > 0);
    });
  });
}

/** Like {@link waitForFds} for one readable descriptor, blocking the calling thread. */
export function waitReadableSync(fd: number, timeoutMs: number): boolean {
  const ready = libc.poll(new Int32Array([fd, POLLIN]), 1, timeoutMs);
  if (ready === -1 && lastErrno() === errnoNumbers.EINTR) return false;
  return check(ready, "poll", `fd ${fd}`) > 0;
}

const MSG_DONTWAIT = 0x40;

export interface TransferOptions {
  /** Waits until done; false (return at once) unless told. */
  readonly blocking?: boolean;
}

/** send(2) of all of `data`; false if it would have to wait. @throws SYSTEM_CALL_FAILED. */
export function sendFd(fd: number, data: Uint8Array, options: TransferOptions = {}): boolean {
  const flags = (options.blocking ? 0 : MSG_DONTWAIT) | MSG_NOSIGNAL;
  if (libc.send(fd, data, data.length, flags) !== -1) return true;
  return wouldBlock("send", fd);
}

const MSG_NOSIGNAL = 0x4000;

/** recv(2) into `buffer`; its count of bytes, 0 at the end of a stream, or undefined if none is there. */
export function receiveFd(
  fd: number,
  buffer: Uint8Array,
  options: TransferOptions = {},
): number | undefined {
  const count = libc.recv(fd, buffer, buffer.length, options.blocking ? 0 : MSG_DONTWAIT);
  if (count !== -1) return count;
  wouldBlock("recv", fd);
  return undefined;
}

function wouldBlock(call: string, fd: number): false {
  const errno = lastErrno();
  if (errno === errnoNumbers.EAGAIN || errno === errnoNumbers.EINTR) return false;
  throw systemCallError({ call, object: `fd ${fd}`, errno });
}
