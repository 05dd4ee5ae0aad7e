/**
 * BFD over real UDP sockets (RFC 5881). The time to live of what comes in is looked at by the kernel, in a
 * socket filter: what comes from another link never wakes this process.
 */

import { createSocket, type Socket } from "node:dgram";
import { familyOf, type IpAddress, type SwitchyardError } from "../../lib/index.ts";
import {
  acceptTimeToLive,
  closeFd,
  openUdpSocket,
  sendDatagramTo,
  setTimeToLive,
} from "../../lib/sys/index.ts";
import { socketAddress } from "../session/index.ts";
import type { BfdTransport } from "./transport.ts";

const CONTROL_PORT = 3784;
const TTL = 255;
const FIRST_SOURCE_PORT = 49_152;
const LAST_SOURCE_PORT = 65_535;
const PORT_ATTEMPTS = 50;
/** Hundreds of packets: a peer sends some dozens a second at most. */
const RECEIVE_BUFFER_BYTES = 256 * 1024;

export const nodeBfdTransport: BfdTransport = {
  sender({ address, localAddress, device }) {
    const fd = openSourcePort(localAddress, device);
    const to = { address, port: CONTROL_PORT };
    return {
      send: (bytes) => void sendDatagramTo(fd, bytes, to),
      close: () => closeFd(fd),
    };
  },

  async listen({ localAddress, device }, onPacket) {
    const family = familyOf(localAddress);
    const fd = openUdpSocket({
      address: localAddress,
      port: CONTROL_PORT,
      ...(device === undefined ? {} : { device }),
      receiveBufferBytes: RECEIVE_BUFFER_BYTES,
      prepare: (made) => acceptTimeToLive({ fd: made, family }, TTL),
    });
    const socket = createSocket(family === 4 ? "udp4" : "udp6");
    socket.on("message", (bytes, { address }) => {
      const from = socketAddress(address);
      if (from !== undefined) onPacket(bytes, from);
    });
    try {
      await bindTo(socket, fd);
    } catch (error) {
      closeFd(fd);
      socket.close();
      throw error;
    }
    return { close: () => socket.close() };
  },
};

function bindTo(socket: Socket, fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ fd }, () => {
      socket.off("error", reject);
      // Errors of the network: detection times say what matters of them.
      socket.on("error", () => undefined);
      resolve();
    });
  });
}

/** RFC 5881 section 4. */
function openSourcePort(localAddress: IpAddress, device: string | undefined): number {
  const family = familyOf(localAddress);
  for (let attempt = 1; ; attempt++) {
    const span = LAST_SOURCE_PORT - FIRST_SOURCE_PORT + 1;
    const port = FIRST_SOURCE_PORT + Math.floor(Math.random() * span);
    try {
      return openUdpSocket({
        address: localAddress,
        port,
        ...(device === undefined ? {} : { device }),
        prepare: (fd) => setTimeToLive({ fd, family }, TTL),
      });
    } catch (error) {
      const { errno } = (error as SwitchyardError).details ?? {};
      if (errno !== "EADDRINUSE" || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}
