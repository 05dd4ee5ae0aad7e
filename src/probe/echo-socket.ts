/**
 * Probes that the kernel of the other host answers by itself, whatever its processes do: ICMP echo, and datagrams
 * to a port at which nobody listens, which it answers with `port unreachable`. An agent that is dead, stopped or
 * busy therefore looks like what it is: nothing to do with the network.
 */

import { randomBytes } from "node:crypto";
import { type Clock, errorText, type Family, familyOf, type IpAddress } from "../lib/index.ts";
import {
  closeFd,
  openIcmpSocket,
  openUdpSocket,
  receiveIcmp,
  type SendRefusal,
  sendDatagramTo,
} from "../lib/sys/index.ts";
import { decodeIcmp, encodeEcho, encodeMark, type IcmpAnswer } from "./icmp.ts";

/** Answers that come while the process does something else: some seconds of a thousand a second. */
const RECEIVE_BUFFER_BYTES = 4 << 20;
/** Larger than any packet whose beginning matters. */
const BUFFER_BYTES = 2048;

export interface EchoSocketOptions {
  /** This host's probe address. */
  readonly address: IpAddress;
  /** Path of a network namespace; the own unless told. */
  readonly namespace?: string;
  readonly clock: Pick<Clock, "monotonicMs">;
}

/** `atMs`: monotonic time at which the kernel had it, however long ago that was. */
export type EchoAnswer = IcmpAnswer & { readonly from: IpAddress; readonly atMs: number };

export class EchoSocket {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #where: { readonly address: IpAddress; readonly namespace?: string };
  readonly #family: Family;
  readonly #session = randomBytes(8).toString("hex");
  readonly #identifier = randomBytes(2).readUInt16BE();
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  readonly #icmp: number;
  readonly #udp: number;

  /** @throws SYSTEM_CALL_FAILED: the address is not there, or the process may not. */
  constructor({ address, namespace, clock }: EchoSocketOptions) {
    this.#clock = clock;
    this.#family = familyOf(address);
    this.#where = { address, ...(namespace !== undefined && { namespace }) };
    this.#icmp = openIcmpSocket({ ...this.#where, receiveBufferBytes: RECEIVE_BUFFER_BYTES });
    try {
      this.#udp = openUdpSocket({ ...this.#where, port: 0 });
    } catch (error) {
      closeFd(this.#icmp);
      throw error;
    }
  }

  /** An echo request in an IP packet of `packetBytes`, small unless told; why it could not be sent. */
  echo(to: IpAddress, sequence: number, packetBytes?: number): SendRefusal | undefined {
    const message = encodeEcho({
      family: this.#family,
      identifier: this.#identifier,
      mark: { session: this.#session, sequence },
      ...(packetBytes !== undefined && { packetBytes }),
    });
    return this.#explained(sendDatagramTo(this.#icmp, message, { address: to, port: 0 }));
  }

  /** A datagram to a port at which nobody listens; why it could not be sent. */
  knock(
    to: { readonly address: IpAddress; readonly port: number },
    sequence: number,
  ): SendRefusal | undefined {
    const payload = encodeMark({ session: this.#session, sequence });
    return this.#explained(sendDatagramTo(this.#udp, payload, to));
  }

  /**
   * Where the own address has gone the kernel says EINVAL, and since 6.15 ENETUNREACH, as if there were no
   * route; a new socket tells the two apart.
   */
  #explained(refusal: SendRefusal | undefined): SendRefusal | undefined {
    if (refusal === undefined) return undefined;
    try {
      closeFd(openUdpSocket({ ...this.#where, port: 0 }));
      return refusal;
    } catch (error) {
      return { errno: "EADDRNOTAVAIL", text: errorText(error) };
    }
  }

  /** Everything that has come about packets of this socket. */
  *take(): Generator<EchoAnswer> {
    for (;;) {
      const received = receiveIcmp(this.#icmp, this.#buffer);
      if (received === undefined) return;
      const { bytes, from, agoUs } = received;
      const answer = decodeIcmp(this.#family, this.#buffer.subarray(0, bytes));
      if (answer?.session !== this.#session) continue;
      yield { ...answer, from, atMs: this.#clock.monotonicMs() - agoUs / 1000 };
    }
  }

  close(): void {
    closeFd(this.#icmp);
    closeFd(this.#udp);
  }
}
