/** How a request is made: its words are put together only when an error wants them. */

import type { Request, RequestLayout } from "./types.ts";

/** Name of a link by its index, for texts. */
export type LinkName = (index: number) => string | undefined;

/** A link as text: its name, or `if7` as iproute2 writes an index it cannot resolve. */
export function deviceText(index: number, linkName: LinkName | undefined): string {
  return linkName?.(index) ?? `if${index}`;
}

export interface RequestParts {
  readonly type: number;
  readonly flags: number;
  readonly payload: Uint8Array;
  readonly layout?: RequestLayout;
  readonly text: () => string;
}

class LazyRequest implements Request {
  readonly type: number;
  readonly flags: number;
  readonly payload: Uint8Array;
  readonly layout: RequestLayout | undefined;
  readonly #text: () => string;

  constructor({ type, flags, payload, layout, text }: RequestParts) {
    this.type = type;
    this.flags = flags;
    this.payload = payload;
    this.layout = layout;
    this.#text = text;
  }

  get text(): string {
    return this.#text();
  }
}

export function request(parts: RequestParts): Request {
  return new LazyRequest(parts);
}
