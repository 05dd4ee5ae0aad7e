/** ETHTOOL_GSTATS: counters of a network driver, the one thing of ethtool that is not in netlink. */

import { closeFd } from "./file-descriptor.ts";
import { ioctlWithData, libc } from "./libc.ts";
import { withNamespace } from "./namespace.ts";
import { check } from "./system-error.ts";

const AF_INET = 2;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const SIOCETHTOOL = 0x8946;
const ETHTOOL_GSTATS = 0x1d;
/** struct ethtool_stats: command, number of counters. */
const HEADER_BYTES = 8;

/** `count` counters, in the order of their names (ETH_SS_STATS). @throws SYSTEM_CALL_FAILED. */
export function readDriverCounters(
  device: string,
  options: { readonly count: number; readonly namespace: string | undefined },
): readonly number[] {
  const { count, namespace } = options;
  const make = () => check(libc.socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0), "socket", "AF_INET");
  const socket = namespace === undefined ? make() : withNamespace(namespace, make);
  try {
    // Room for some more: a driver may have got a queue since the names were read.
    const bytes = new Uint8Array(HEADER_BYTES + 8 * (count + 64));
    const view = new DataView(bytes.buffer);
    view.setUint32(0, ETHTOOL_GSTATS, true);
    view.setUint32(4, count, true);
    const result = ioctlWithData(socket, SIOCETHTOOL, { name: device, data: bytes });
    check(result, "ioctl(ETHTOOL_GSTATS)", device);
    return Array.from({ length: count }, (_, i) =>
      Number(view.getBigUint64(HEADER_BYTES + 8 * i, true)),
    );
  } finally {
    closeFd(socket);
  }
}
