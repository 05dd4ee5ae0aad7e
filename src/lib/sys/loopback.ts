/** Sets `lo` of the calling thread's namespace up by ioctl, where rtnetlink is not at hand. */

import { closeFd } from "./file-descriptor.ts";
import { libc } from "./libc.ts";
import { check } from "./system-error.ts";

const AF_INET = 2;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const SIOCSIFFLAGS = 0x8914;
const IFF_UP = 1;

export function loopbackUp(): void {
  const socket = check(libc.socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0), "socket", "AF_INET");
  try {
    // struct ifreq: 16 bytes of name, then the flags.
    const request = new Uint8Array(40);
    request.set(new TextEncoder().encode("lo"));
    new DataView(request.buffer).setInt16(16, IFF_UP, true);
    check(libc.ioctl(socket, SIOCSIFFLAGS, request), "ioctl(SIOCSIFFLAGS)", "lo");
  } finally {
    closeFd(socket);
  }
}
