/** What BFD asks of UDP; `node-bfd.ts` answers with real sockets. */

import type { IpAddress } from "../../lib/index.ts";

export interface BfdPath {
  readonly address: IpAddress;
  readonly localAddress: IpAddress;
  /** The network device packets leave by; the kernel's choice unless told. */
  readonly device?: string | undefined;
}

export interface BfdTransport {
  /**
   * What one session sends by: from a port of 49152 or more, the same for all its packets, with a time to
   * live of 255 (RFC 5881 sections 4 and 5). A packet that cannot be sent is lost. @throws SwitchyardError
   */
  sender(path: BfdPath): { send(bytes: Uint8Array): void; close(): void };
  /**
   * Control packets for this address, and only those that come with a time to live of 255.
   * Rejects when the port cannot be had.
   */
  listen(
    place: Pick<BfdPath, "localAddress" | "device">,
    onPacket: (bytes: Uint8Array, from: IpAddress) => void,
  ): Promise<{ close(): void }>;
}
