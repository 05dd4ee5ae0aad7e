/**
 * The functions of libc.so.6 this product calls, typed by hand. Results are raw: -1 means failure, and
 * `koffi.errno()` then holds the reason until the next call; use `check` of system-error.ts.
 * koffi has no `ssize_t` and `size_t`; both are 64 bits wide on every machine Node.js 26 runs on.
 */

import koffi from "koffi";

const library = koffi.load("libc.so.6");

type Bytes = Uint8Array | Int32Array;

/** A C function that may also run in libuv's thread pool. */
interface LibcFunction<Arguments extends readonly unknown[], Result> {
  (...parameters: Arguments): Result;
  async(...parameters: [...Arguments, (error: unknown, result: Result) => void]): void;
}

function bind<Arguments extends readonly unknown[], Result>(
  prototype: string,
): LibcFunction<Arguments, Result> {
  return library.func(prototype) as LibcFunction<Arguments, Result>;
}

export const libc = {
  open: bind<[path: string, flags: number, mode: number], number>(
    "int open(const char *path, int flags, unsigned int mode)",
  ),
  close: bind<[fd: number], number>("int close(int fd)"),
  read: bind<[fd: number, buffer: Bytes, length: number], number>(
    "int64_t read(int fd, void *buffer, uint64_t length)",
  ),
  write: bind<[fd: number, buffer: Bytes, length: number], number>(
    "int64_t write(int fd, void *buffer, uint64_t length)",
  ),
  eventfd: bind<[initial: number, flags: number], number>(
    "int eventfd(unsigned int initial, int flags)",
  ),
  flock: bind<[fd: number, operation: number], number>("int flock(int fd, int operation)"),
  ioctl: bind<[fd: number, request: number, argument: Bytes], number>(
    "int ioctl(int fd, unsigned long request, void *argument)",
  ),
  /** For requests whose argument is a number, not a place. */
  ioctlValue: bind<[fd: number, request: number, value: number], number>(
    "int ioctl(int fd, unsigned long request, unsigned long argument)",
  ),
  clock_gettime: bind<[clock: number, time: Bytes], number>(
    "int clock_gettime(int clock, void *time)",
  ),
  poll: bind<[fds: Bytes, count: number, timeoutMs: number], number>(
    "int poll(void *fds, unsigned long count, int timeout)",
  ),
  setns: bind<[fd: number, kind: number], number>("int setns(int fd, int nstype)"),
  unshare: bind<[flags: number], number>("int unshare(int flags)"),
  mount: bind<
    [source: string, target: string, type: string, flags: number, data: string | null],
    number
  >(
    "int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)",
  ),
  umount2: bind<[target: string, flags: number], number>(
    "int umount2(const char *target, int flags)",
  ),
  socket: bind<[domain: number, type: number, protocol: number], number>(
    "int socket(int domain, int type, int protocol)",
  ),
  bind: bind<[fd: number, address: Bytes, length: number], number>(
    "int bind(int fd, const void *address, unsigned int length)",
  ),
  connect: bind<[fd: number, address: Bytes, length: number], number>(
    "int connect(int fd, const void *address, unsigned int length)",
  ),
  listen: bind<[fd: number, backlog: number], number>("int listen(int fd, int backlog)"),
  accept4: bind<[fd: number, address: Bytes | null, length: Bytes | null, flags: number], number>(
    "int accept4(int fd, void *address, void *length, int flags)",
  ),
  getsockname: bind<[fd: number, address: Bytes, length: Bytes], number>(
    "int getsockname(int fd, void *address, void *length)",
  ),
  setsockopt: bind<
    [fd: number, level: number, option: number, value: Bytes, length: number],
    number
  >("int setsockopt(int fd, int level, int option, const void *value, unsigned int length)"),
  getsockopt: bind<
    [fd: number, level: number, option: number, value: Bytes, length: Bytes],
    number
  >("int getsockopt(int fd, int level, int option, void *value, void *length)"),
  send: bind<[fd: number, buffer: Bytes, length: number, flags: number], number>(
    "int64_t send(int fd, const void *buffer, uint64_t length, int flags)",
  ),
  sendto: bind<
    [
      fd: number,
      buffer: Bytes,
      length: number,
      flags: number,
      address: Bytes,
      addressLength: number,
    ],
    number
  >(
    "int64_t sendto(int fd, const void *buffer, uint64_t length, int flags, const void *address, unsigned int address_length)",
  ),
  recv: bind<[fd: number, buffer: Bytes, length: number, flags: number], number>(
    "int64_t recv(int fd, void *buffer, uint64_t length, int flags)",
  ),
  recvfrom: bind<
    [
      fd: number,
      buffer: Bytes,
      length: number,
      flags: number,
      address: Bytes | null,
      addressLength: Bytes | null,
    ],
    number
  >(
    "int64_t recvfrom(int fd, void *buffer, uint64_t length, int flags, void *address, void *address_length)",
  ),
  strerror: bind<[error: number], string>("const char *strerror(int error)"),
} as const;

/** The reason of the last failed call of {@link libc}. */
export function lastErrno(): number {
  return koffi.errno();
}

koffi.struct("ifreq_data", { name: "char[16]", data: "void *", rest: "uint8_t[16]" });

const ioctlIfreq = bind<
  [fd: number, request: number, argument: { name: string; data: Uint8Array; rest: number[] }],
  number
>("int ioctl(int fd, unsigned long request, ifreq_data *argument)");

/** An ioctl on a network device whose struct ifreq points to `data`, which the kernel changes. */
export function ioctlWithData(
  fd: number,
  request: number,
  argument: { readonly name: string; readonly data: Uint8Array },
): number {
  return ioctlIfreq(fd, request, { ...argument, rest: new Array<number>(16).fill(0) });
}
