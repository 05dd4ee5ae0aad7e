/**
 * Tells when another hand was in what {@link DriftWatch} does not see: our nftables table, the BPF filters
 * and their qdiscs, the sysctls the kernel reports. Looked at four times a second; finding nothing costs two
 * system calls.
 */

import { type Clock, errorText, type Timer } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import { type Notice, type Notices, openNotices } from "../netlink/index.ts";
import { firewallTable } from "./firewall-render.ts";

const LOOK_EVERY_MS = 250;
/** NETCONFA_IFINDEX_ALL, NETCONFA_IFINDEX_DEFAULT. */
const WHOLE_HOST = new Set([-1, -2]);

export interface TamperWatchOptions {
  readonly namespace?: string;
  readonly clock: Clock;
  readonly log: Log;
  /** True for the devices that a plan speaks of. */
  readonly concerns: (index: number) => boolean;
}

/** What was touched: the firewall, or anything else. */
export type Tampered = "firewall" | "other";

export class TamperWatch {
  readonly #options: TamperWatchOptions;
  readonly #listeners = new Set<(what: ReadonlySet<Tampered>) => void>();
  readonly #notices: Notices | undefined;
  #timer: Timer | undefined;

  constructor(options: TamperWatchOptions) {
    this.#options = options;
    const { namespace, log } = options;
    try {
      this.#notices = openNotices(namespace === undefined ? {} : { namespace });
    } catch (error) {
      // The periodic compare still finds what is not reported.
      log.warn(
        { reason: errorText(error) },
        "the kernel does not report changes of nftables and tc",
      );
    }
  }

  listen(listener: (what: ReadonlySet<Tampered>) => void): () => void {
    // What happened while nobody listened, our own first apply above all, is no news.
    if (this.#listeners.size === 0 && this.#notices) this.#look();
    this.#listeners.add(listener);
    this.#schedule();
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#listeners.clear();
    this.#notices?.close();
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#listeners.size === 0 || !this.#notices) return;
    const look = () => {
      this.#timer = undefined;
      const found = this.#look();
      if (found.size > 0) for (const listener of this.#listeners) listener(found);
      this.#schedule();
    };
    this.#timer = this.#options.clock.schedule(LOOK_EVERY_MS, look, { unref: true });
  }

  #look(): Set<Tampered> {
    try {
      return new Set(this.#notices!.take().flatMap((notice) => this.#classify(notice)));
    } catch (error) {
      this.#options.log.warn({ reason: errorText(error) }, "a notice of the kernel cannot be read");
      return new Set(["firewall", "other"]);
    }
  }

  #classify(notice: Notice): Tampered[] {
    switch (notice.kind) {
      case "overrun":
        return ["firewall", "other"];
      case "nftables":
        return notice.table === firewallTable ? ["firewall"] : [];
      case "configuration":
        return WHOLE_HOST.has(notice.index) || this.#options.concerns(notice.index)
          ? ["other"]
          : [];
      case "traffic-control":
        return this.#options.concerns(notice.index) ? ["other"] : [];
    }
  }
}
