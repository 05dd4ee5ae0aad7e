/**
 * The path to one peer, watched by BFD (RFC 5882) where that is configured: from its first session on,
 * since only then it is known which address of ours it knows, and until it is configured no more. A
 * session does not wait for BFD, which the peer need not have.
 */

import { errorText, formatAddress, type IpAddress } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import type { Bfd, BfdDown, BfdPath, BfdWatch } from "./bfd/index.ts";
import type { BfdConfig, BfdStatus } from "./types.ts";

export interface PathWatchOptions {
  readonly bfd: Bfd;
  readonly log: Log;
  onDown(down: BfdDown): void;
  onStatus(): void;
}

export class PathWatch {
  readonly #options: PathWatchOptions;
  #config: BfdConfig | undefined;
  #path: BfdPath | undefined;
  #watch: BfdWatch | undefined;

  constructor(options: PathWatchOptions) {
    this.#options = options;
  }

  status(): BfdStatus | undefined {
    return this.#watch?.status();
  }

  configure(config: BfdConfig | undefined): void {
    this.#config = config;
    if (config === undefined) this.#close();
    else if (this.#watch) this.#watch.reconfigure(config);
    else this.#open();
  }

  /** A session came up along this path. */
  begin(path: BfdPath): void {
    if (this.#watch && this.#path && samePath(this.#path, path)) return;
    this.#close();
    this.#path = path;
    this.#open();
  }

  stop(): void {
    this.#close();
    this.#path = undefined;
  }

  #open(): void {
    if (this.#config === undefined || this.#path === undefined) return;
    const { bfd, log, onDown, onStatus } = this.#options;
    try {
      this.#watch = bfd.watch({ path: this.#path, config: this.#config, onDown, onStatus });
    } catch (error) {
      log.error({ error: errorText(error) }, "the path to this peer is not watched by BFD");
    }
  }

  #close(): void {
    this.#watch?.close();
    this.#watch = undefined;
  }
}

function samePath(a: BfdPath, b: BfdPath): boolean {
  const text = ({ address, localAddress, device = "" }: BfdPath) =>
    [formatAddress(address), formatAddress(localAddress as IpAddress), device].join(" ");
  return text(a) === text(b);
}
