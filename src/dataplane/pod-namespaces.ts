/**
 * Finds the network namespace at the other end of a pod's veth. The kernel names it by a number; the
 * path is searched where namespaces are kept, and remembered until it is found to be wrong.
 */

import { readdirSync, statSync } from "node:fs";
import type { Clock } from "../lib/index.ts";
import { listNamespaces, namespacePath } from "../lib/sys/index.ts";
import type { RouteSocket } from "../netlink/index.ts";

/** What is not found is not searched for again sooner. */
const SEARCH_EVERY_MS = 1000;

export interface PodNamespacesOptions {
  /** In the node's namespace: the numbers are its own. */
  readonly socket: Pick<RouteSocket, "netnsId">;
  readonly clock: Clock;
}

export class PodNamespaces {
  readonly #options: PodNamespacesOptions;
  #paths = new Map<number, string>();
  #searchedMs = Number.NEGATIVE_INFINITY;

  constructor(options: PodNamespacesOptions) {
    this.#options = options;
  }

  /** Path of the namespace with this number; undefined if nobody keeps it open. */
  async find(id: number): Promise<string | undefined> {
    const known = this.#paths.get(id);
    if (known !== undefined && (await this.#idOf(known)) === id) return known;
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#searchedMs < SEARCH_EVERY_MS) return undefined;
    this.#searchedMs = nowMs;
    await this.#search();
    return this.#paths.get(id);
  }

  async #search(): Promise<void> {
    const found = new Map<number, string>();
    // One question per namespace, however many processes are in it.
    const seen = new Set<number>();
    for (const path of candidates()) {
      const inode = inodeOf(path);
      if (inode === undefined || seen.has(inode)) continue;
      seen.add(inode);
      const id = await this.#idOf(path);
      if (id !== undefined) found.set(id, path);
    }
    this.#paths = found;
  }

  /** A process that has ended takes its path with it. */
  async #idOf(path: string): Promise<number | undefined> {
    try {
      return await this.#options.socket.netnsId(path);
    } catch {
      return undefined;
    }
  }
}

/** Those with a name first: a process may end any time. */
function* candidates(): Generator<string> {
  for (const name of listNamespaces()) yield namespacePath(name);
  for (const entry of readdirSync("/proc")) {
    if (/^[0-9]+$/.test(entry)) yield `/proc/${entry}/ns/net`;
  }
}

function inodeOf(path: string): number | undefined {
  try {
    return statSync(path).ino;
  } catch {
    return undefined;
  }
}
