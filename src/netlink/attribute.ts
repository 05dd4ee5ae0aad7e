/**
 * Attributes (struct nlattr) by declarative tables: a table names each attribute once, with its number
 * and codec, and both reads and writes it. Unknown attributes are skipped, since newer kernels add some;
 * everything else about a malformed one is an error.
 */

import { malformed } from "./malformed.ts";
import type { Writer } from "./writer.ts";

/** How one attribute's payload is read and written. Methods, so that tables may mix value types. */
export interface AttributeCodec<T> {
  /** What it holds, for errors. */
  readonly what: string;
  /** True if a payload of this length can be read. */
  accepts(length: number): boolean;
  /** Reads `length` bytes at `offset`; both are known to lie inside `view`. */
  read(view: DataView, offset: number, length: number): T;
  write(writer: Writer, value: T): void;
}

type Entry = readonly [type: number, codec: AttributeCodec<unknown>];

type Values<E extends Record<string, Entry>> = {
  -readonly [K in keyof E]?:
    | (E[K] extends readonly [number, AttributeCodec<infer T>] ? T : never)
    | undefined;
};

// NLA_F_NESTED and NLA_F_NET_BYTEORDER are the top two bits.
const TYPE_MASK = 0x3fff;

export class AttributeTable<V extends object> {
  readonly #name: string;
  readonly #byType: (readonly [key: string, codec: AttributeCodec<unknown>])[] = [];
  readonly #entries: readonly (readonly [
    key: string,
    type: number,
    codec: AttributeCodec<unknown>,
  ])[];

  constructor(name: string, entries: Record<string, Entry>) {
    this.#name = name;
    this.#entries = Object.entries(entries).map(([key, [type, codec]]) => [key, type, codec]);
    for (const [key, type, codec] of this.#entries) this.#byType[type] = [key, codec];
  }

  /** Reads the attributes from `start` to `end` of `view`. @throws NETLINK_MALFORMED. */
  decode(view: DataView, start: number, end: number): V {
    const values: Record<string, unknown> = {};
    let offset = start;
    while (offset < end) {
      const room = end - offset;
      const length = room < 4 ? 0 : view.getUint16(offset, true);
      if (length < 4 || length > room) {
        throw malformed(
          `${this.#name}: attribute of length ${length}, ${room} left`,
          view,
          offset,
          end,
        );
      }
      const type = view.getUint16(offset + 2, true) & TYPE_MASK;
      const known = this.#byType[type];
      if (known !== undefined) {
        const [key, codec] = known;
        if (!codec.accepts(length - 4)) {
          const what = `${this.#name}.${key}: ${length - 4} bytes are no ${codec.what}`;
          throw malformed(what, view, offset, end);
        }
        values[key] = codec.read(view, offset + 4, length - 4);
      }
      offset += (length + 3) & ~3;
    }
    return values as V;
  }

  /** Writes the values that are there, in the table's order. */
  encode(writer: Writer, values: V): void {
    const byKey = values as Readonly<Record<string, unknown>>;
    for (const [key, type, codec] of this.#entries) {
      const value = byKey[key];
      if (value === undefined) continue;
      const start = writer.begin();
      writer.u16(type);
      codec.write(writer, value);
      writer.end(start);
    }
  }
}

/** `name` is the kernel's prefix of these attributes (`RTA`), used in errors. */
export function attributeTable<const E extends Record<string, Entry>>(
  name: string,
  entries: E,
): AttributeTable<Values<E>> {
  return new AttributeTable<Values<E>>(name, entries);
}

/** An attribute that holds attributes. */
export function nested<V extends object>(table: AttributeTable<V>): AttributeCodec<V> {
  return {
    what: "nest",
    accepts: () => true,
    read: (view, offset, length) => table.decode(view, offset, offset + length),
    write: (writer, value) => table.encode(writer, value),
  };
}
