/** Answers proof packets, by UDP and TCP, at this node's probe address, as long as there is one. */

import { type Clock, errorText, formatAddress, type IpAddress } from "../lib/index.ts";
import { PROOF_PORT } from "../plan/index.ts";
import { BulkServer, ProbeEndpoint, type ProbePacket, probeIdentity } from "../probe/index.ts";

export interface ProofListenerOptions {
  readonly node: string;
  readonly clock: Clock;
  /** Key of a change that has orders. */
  readonly keyOf: (change: string) => Uint8Array | undefined;
  readonly heard: (packet: ProbePacket) => void;
}

export class ProofListener {
  readonly #options: ProofListenerOptions;
  #address: IpAddress | undefined;
  #open: readonly { close(): void }[] = [];

  constructor(options: ProofListenerOptions) {
    this.#options = options;
  }

  /** Where it answers. */
  get address(): IpAddress | undefined {
    return this.#address;
  }

  /** Answers there and nowhere else from now on. @returns why it cannot. */
  async moveTo(address: IpAddress | undefined): Promise<string | undefined> {
    this.close();
    if (address === undefined) return undefined;
    const { clock, heard, keyOf, node } = this.#options;
    const common = { address, port: PROOF_PORT, self: probeIdentity(node), keyOf, clock };
    const open: { close(): void }[] = [];
    try {
      open.push(await ProbeEndpoint.open({ ...common, heard }));
      open.push(await BulkServer.open(common));
      this.#open = open;
      this.#address = address;
      return undefined;
    } catch (error) {
      for (const one of open) one.close();
      const at = `${formatAddress(address)} port ${PROOF_PORT}`;
      return `proof packets cannot be answered at ${at}: ${errorText(error)}`;
    }
  }

  close(): void {
    for (const one of this.#open) one.close();
    this.#open = [];
    this.#address = undefined;
  }
}
