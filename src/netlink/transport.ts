/**
 * What a netlink socket is made of: system calls with raw results. Tests put their own in its place, to
 * answer with what no kernel can be made to.
 */

import {
  closeFd,
  type NetlinkProtocol,
  openNetlinkSocket,
  type ReceivedDatagram,
  receiveNetlink,
  sendNetlink,
  sendNetlinkAside,
  setIntegerOption,
  setReceiveBuffer,
} from "../lib/sys/index.ts";

export interface Transport {
  readonly fd: number;
  /** nl_pid: what the kernel addresses answers to. */
  readonly port: number;
  /** 0, or the errno. */
  send(bytes: Uint8Array): number;
  /** As `send`, off the event loop's thread. */
  sendAside(bytes: Uint8Array): Promise<number>;
  receive(buffer: Uint8Array): ReceivedDatagram;
  close(): void;
}

const SOL_NETLINK = 270;
const NETLINK_ADD_MEMBERSHIP = 1;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
/** Kernel 4.20: dumps are filtered as the request's header and attributes say. */
const NETLINK_GET_STRICT_CHK = 12;

export interface NetlinkSocketOptions {
  /** Path of a network namespace; the process's own unless told. */
  readonly namespace?: string | undefined;
  readonly protocol?: NetlinkProtocol;
  readonly receiveBufferBytes: number;
  /** Multicast groups (RTNLGRP_*). */
  readonly groups?: readonly number[];
}

/** @throws SYSTEM_CALL_FAILED. */
export function openTransport(options: NetlinkSocketOptions): Transport {
  const { namespace, protocol = "route", receiveBufferBytes, groups = [] } = options;
  const { fd, port } = openNetlinkSocket(namespace, protocol);
  const set = (option: number, name: string, value: number) =>
    setIntegerOption(fd, { level: SOL_NETLINK, option, name }, value);
  try {
    setReceiveBuffer(fd, receiveBufferBytes);
    set(NETLINK_CAP_ACK, "NETLINK_CAP_ACK", 1);
    set(NETLINK_EXT_ACK, "NETLINK_EXT_ACK", 1);
    set(NETLINK_GET_STRICT_CHK, "NETLINK_GET_STRICT_CHK", 1);
    for (const group of groups) set(NETLINK_ADD_MEMBERSHIP, "NETLINK_ADD_MEMBERSHIP", group);
  } catch (error) {
    closeFd(fd);
    throw error;
  }
  return {
    fd,
    port,
    send: (bytes) => sendNetlink(fd, bytes),
    sendAside: (bytes) => sendNetlinkAside(fd, bytes),
    receive: (buffer) => receiveNetlink(fd, buffer),
    close: () => closeFd(fd),
  };
}
