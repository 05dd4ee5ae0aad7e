/**
 * Hands each write to the watches it concerns, from the write itself: nothing polls. A watch of
 * another kind gets a bookmark instead, at most one per interval, so that it can tell how far it is.
 */

import { type Clock, SwitchyardError, type Timer } from "../../lib/index.ts";
import type { Kind, Resource } from "../../model/index.ts";
import type { WatchEvent } from "../types.ts";

type AnyEvent = WatchEvent<Kind>;

/** A reader this far behind is cut off and lists again, instead of growing our memory. */
const maximumQueuedEvents = 20_000;

class Subscription {
  readonly kind: Kind;
  #queue: AnyEvent[];
  #failure: Error | undefined;
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(kind: Kind, replay: readonly AnyEvent[]) {
    this.kind = kind;
    this.#queue = [...replay];
  }

  push(event: AnyEvent): void {
    if (this.#ended || this.#failure) return;
    if (this.#queue.length >= maximumQueuedEvents) {
      this.#queue = [];
      this.fail(new SwitchyardError("WATCH_EXPIRED", "the watch fell too far behind: list again"));
      return;
    }
    const last = this.#queue.at(-1);
    if (event.type === "bookmark" && last?.type === "bookmark") this.#queue.pop();
    this.#queue.push(event);
    this.#wake?.();
  }

  fail(error: Error): void {
    this.#failure = error;
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *events(): AsyncGenerator<AnyEvent, void, void> {
    for (;;) {
      const batch = this.#queue;
      this.#queue = [];
      for (const event of batch) {
        if (this.#ended) return;
        yield event;
      }
      if (this.#queue.length > 0) continue;
      if (this.#ended) return;
      if (this.#failure) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }
}

export interface WatchHubOptions {
  readonly clock: Clock;
  /** Longest time a watch of another kind waits for its bookmark. */
  readonly bookmarkDelayMs: number;
}

export class WatchHub {
  readonly #options: WatchHubOptions;
  readonly #subscriptions = new Set<Subscription>();
  readonly #behind = new Set<Subscription>();
  #timer: Timer | undefined;
  #revision = "0";

  constructor(options: WatchHubOptions) {
    this.#options = options;
  }

  /** `replay` are the events since the watch's revision; then it follows. */
  async *subscribe(options: {
    kind: Kind;
    replay: readonly AnyEvent[];
    signal: AbortSignal | undefined;
  }): AsyncGenerator<AnyEvent, void, void> {
    const { kind, replay, signal } = options;
    if (signal?.aborted) return;
    const subscription = new Subscription(kind, replay);
    const onAbort = () => subscription.end();
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#subscriptions.add(subscription);
    try {
      yield* subscription.events();
    } finally {
      signal?.removeEventListener("abort", onAbort);
      this.#subscriptions.delete(subscription);
      this.#behind.delete(subscription);
    }
  }

  publish(event: { type: "added" | "modified" | "deleted"; resource: Resource }): void {
    this.#revision = event.resource.metadata.resourceVersion ?? this.#revision;
    for (const subscription of this.#subscriptions) {
      if (subscription.kind === event.resource.kind) {
        this.#behind.delete(subscription);
        subscription.push(event as AnyEvent);
      } else {
        this.#behind.add(subscription);
      }
    }
    if (this.#behind.size === 0 || this.#timer) return;
    this.#timer = this.#options.clock.schedule(
      this.#options.bookmarkDelayMs,
      () => this.#bookmark(),
      { unref: true },
    );
  }

  #bookmark(): void {
    this.#timer = undefined;
    const event: AnyEvent = { type: "bookmark", resourceVersion: this.#revision };
    for (const subscription of this.#behind) subscription.push(event);
    this.#behind.clear();
  }

  close(error: Error): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const subscription of this.#subscriptions) subscription.fail(error);
    this.#subscriptions.clear();
    this.#behind.clear();
  }
}
