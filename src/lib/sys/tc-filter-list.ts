/**
 * Whether a clsact qdisc has any filter: libbpf deletes the qdisc with everything on it, so its owner
 * must look first. One RTM_GETTFILTER dump, in the namespace the calling thread is in.
 */

import { closeFd } from "./file-descriptor.ts";
import { openNetlinkSocket, receiveNetlink, sendNetlink } from "./netlink.ts";
import { systemCallError } from "./system-error.ts";

const RTM_NEWTFILTER = 44;
const RTM_GETTFILTER = 46;
/** NLM_F_REQUEST | NLM_F_DUMP. */
const DUMP_REQUEST = 0x301;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const HEADER_BYTES = 16;
const TCMSG_BYTES = 20;
const RECEIVE_BYTES = 128 * 1024;

/** The two hooks of clsact: TC_H_CLSACT with TC_H_MIN_INGRESS and TC_H_MIN_EGRESS. */
const hooks = [0xfffffff2, 0xfffffff3] as const;

/**
 * True if a filter of anybody stands at either hook of the device's clsact qdisc, and if the kernel
 * leaves that open.
 */
export function hasTcFilters(device: number): boolean {
  return hooks.some((parent) => dumpFinds(device, parent));
}

function dumpFinds(device: number, parent: number): boolean {
  const { fd } = openNetlinkSocket();
  try {
    const errno = sendNetlink(fd, request(device, parent));
    if (errno !== 0) throw systemCallError({ call: "send", object: "RTM_GETTFILTER", errno });
    const buffer = Buffer.alloc(RECEIVE_BYTES);
    // The kernel carries a dump on inside recv, so there is something to read until its end.
    for (;;) {
      const datagram = receiveNetlink(fd, buffer);
      if (datagram.result < 0) return true;
      const found = scan(buffer.subarray(0, datagram.result), device);
      if (found !== undefined) return found;
    }
  } finally {
    closeFd(fd);
  }
}

function request(device: number, parent: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + TCMSG_BYTES);
  bytes.writeUInt32LE(bytes.length, 0);
  bytes.writeUInt16LE(RTM_GETTFILTER, 4);
  bytes.writeUInt16LE(DUMP_REQUEST, 6);
  bytes.writeInt32LE(device, HEADER_BYTES + 4);
  bytes.writeUInt32LE(parent, HEADER_BYTES + 12);
  return bytes;
}

/** True: a filter; false: the end; undefined: more to come. */
function scan(datagram: Buffer, device: number): boolean | undefined {
  let offset = 0;
  while (offset + HEADER_BYTES <= datagram.length) {
    const length = datagram.readUInt32LE(offset);
    const type = datagram.readUInt16LE(offset + 4);
    if (length < HEADER_BYTES || offset + length > datagram.length) break;
    if (type === RTM_NEWTFILTER) return true;
    if (type === NLMSG_DONE) return false;
    if (type === NLMSG_ERROR) {
      const errno = -datagram.readInt32LE(offset + HEADER_BYTES);
      throw systemCallError({ call: "RTM_GETTFILTER", object: `device ${device}`, errno });
    }
    offset += Math.ceil(length / 4) * 4;
  }
  return undefined;
}
