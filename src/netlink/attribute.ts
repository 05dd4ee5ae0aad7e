/**
 * Attributes (struct nlattr) by declarative tables: a table names each attribute once, with its number,
 * its name in the kernel's headers and its codec, and serves to read, to write, and to tell which attribute
 * an offset in a request belongs to. Unknown attributes are skipped, since newer kernels add some;
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
  /** Of payloads that hold attributes: which, given the attributes beside it; for {@link locate}. */
  nest?(siblings: Readonly<Record<string, unknown>>): Nest | undefined;
  /** NLA_F_NESTED is written: message types younger than kernel 5.2 insist on it. */
  readonly flagged?: boolean;
}

/** Attributes inside an attribute. */
export interface Nest {
  readonly table: AttributeTable<object>;
  /** Where in the payload [start, end) runs of attributes lie; the whole of it unless told. */
  readonly runs?: (
    view: DataView,
    start: number,
    end: number,
  ) => readonly (readonly [start: number, end: number])[];
}

/** Number, name in the kernel's headers, codec. */
type Entry = readonly [type: number, name: string, codec: AttributeCodec<unknown>];

type Values<E extends Record<string, Entry>> = {
  -readonly [K in keyof E]?:
    | (E[K] extends readonly [number, string, AttributeCodec<infer T>] ? T : never)
    | undefined;
};

interface Attribute {
  readonly key: string;
  readonly type: number;
  readonly name: string;
  readonly codec: AttributeCodec<unknown>;
}

const NLA_F_NESTED = 0x8000;
/** Without NLA_F_NESTED and NLA_F_NET_BYTEORDER. */
const TYPE_MASK = 0x3fff;

export class AttributeTable<V extends object> {
  /** What its attributes' names begin with: `IFLA`. */
  readonly prefix: string;
  readonly #byType: Attribute[] = [];
  readonly #attributes: readonly Attribute[];

  constructor(prefix: string, entries: Record<string, Entry>) {
    this.prefix = prefix;
    this.#attributes = Object.entries(entries).map(([key, [type, name, codec]]) => ({
      key,
      type,
      name,
      codec,
    }));
    for (const attribute of this.#attributes) this.#byType[attribute.type] = attribute;
  }

  /** Reads the attributes from `start` to `end` of `view`. @throws NETLINK_MALFORMED. */
  decode(view: DataView, start: number, end: number): V {
    const values: Record<string, unknown> = {};
    let offset = start;
    while (offset < end) {
      const length = attributeLength(this.prefix, view, offset, end);
      const known = this.#byType[view.getUint16(offset + 2, true) & TYPE_MASK];
      if (known !== undefined) {
        const { key, name, codec } = known;
        if (!codec.accepts(length - 4)) {
          throw malformed(`${name}: ${length - 4} bytes are no ${codec.what}`, view, offset, end);
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
    for (const { key, type, codec } of this.#attributes) {
      const value = byKey[key];
      if (value === undefined) continue;
      const start = writer.begin();
      writer.u16(codec.flagged ? type | NLA_F_NESTED : type);
      codec.write(writer, value);
      writer.end(start);
    }
  }

  /** The kernel's name of an attribute of this table; its prefix and number if it is not in it. */
  nameOf(type: number): string {
    return this.#byType[type]?.name ?? `${this.prefix}_#${type}`;
  }

  /**
   * The attribute at `target` (an offset in `view`), among those from `start` to `end`: its path
   * (`IFLA_LINKINFO.IFLA_INFO_DATA.IFLA_VXLAN_PORT`) and, if it holds attributes, their table.
   * @throws NETLINK_MALFORMED.
   */
  locate(view: DataView, range: readonly [start: number, end: number], target: number): Located {
    const [start, end] = range;
    for (let offset = start; offset < end; ) {
      const length = attributeLength(this.prefix, view, offset, end);
      if (target >= offset && target < offset + length) {
        const type = view.getUint16(offset + 2, true) & TYPE_MASK;
        const name = this.nameOf(type);
        const siblings = this.decode(view, start, end) as Record<string, unknown>;
        const nest = this.#byType[type]?.codec.nest?.(siblings);
        const payload = offset + 4;
        if (target >= payload && nest !== undefined) {
          const runs = nest.runs?.(view, payload, offset + length) ?? [[payload, offset + length]];
          const run = runs.find(([from, to]) => target >= from && target < to);
          if (run !== undefined) {
            const inner = nest.table.locate(view, run, target);
            return { ...inner, path: `${name}.${inner.path}` };
          }
        }
        return { path: name, table: nest?.table };
      }
      offset += (length + 3) & ~3;
    }
    throw malformed(`${this.prefix}: no attribute at ${target}`, view, start, end);
  }
}

export interface Located {
  readonly path: string;
  readonly table: AttributeTable<object> | undefined;
}

/** nla_len at `offset`, which is known to be before `end`. */
function attributeLength(prefix: string, view: DataView, offset: number, end: number): number {
  const room = end - offset;
  const length = room < 4 ? 0 : view.getUint16(offset, true);
  if (length >= 4 && length <= room) return length;
  throw malformed(`${prefix}: attribute of length ${length}, ${room} left`, view, offset, end);
}

/** `prefix` is what the kernel's names of these attributes begin with (`RTA`), used in errors. */
export function attributeTable<const E extends Record<string, Entry>>(
  prefix: string,
  entries: E,
): AttributeTable<Values<E>> {
  return new AttributeTable<Values<E>>(prefix, entries);
}

/** An attribute that holds attributes. */
export function nested<V extends object>(table: AttributeTable<V>): AttributeCodec<V> {
  return {
    what: "nest",
    accepts: () => true,
    read: (view, offset, length) => table.decode(view, offset, offset + length),
    write: (writer, value) => table.encode(writer, value),
    nest: () => ({ table }),
  };
}

/** As {@link nested}, for message types that insist on NLA_F_NESTED. */
export function flaggedNest<V extends object>(table: AttributeTable<V>): AttributeCodec<V> {
  return { ...nested(table), flagged: true };
}

/** Attributes of one type, several, in a nest: `ETHTOOL_A_BITSET_BITS`. */
export function nestedList<T>(
  prefix: string,
  item: readonly [type: number, name: string, codec: AttributeCodec<T>],
): AttributeCodec<readonly T[]> {
  const [type, name, codec] = item;
  const table = attributeTable(prefix, { item });
  return {
    what: "nest",
    accepts: () => true,
    read(view, start, length) {
      const items: T[] = [];
      const end = start + length;
      for (let offset = start; offset < end; ) {
        const size = attributeLength(prefix, view, offset, end);
        // Lists such as the multicast groups of a family number their items instead.
        if (type === ANY_TYPE || (view.getUint16(offset + 2, true) & TYPE_MASK) === type) {
          if (!codec.accepts(size - 4)) {
            throw malformed(`${name}: ${size - 4} bytes are no ${codec.what}`, view, offset, end);
          }
          items.push(codec.read(view, offset + 4, size - 4));
        }
        offset += (size + 3) & ~3;
      }
      return items;
    },
    write(writer, items) {
      for (const [index, each] of items.entries()) {
        const start = writer.begin();
        writer.u16((type === ANY_TYPE ? index + 1 : type) | NLA_F_NESTED);
        codec.write(writer, each);
        writer.end(start);
      }
    },
    nest: () => ({ table }),
    flagged: true,
  };
}

/** For {@link nestedList}: the items are numbered from 1 on. */
export const ANY_TYPE = -1;

/** A payload kept as bytes, whose attributes depend on what is beside it. */
export function dependent(
  codec: AttributeCodec<Uint8Array>,
  nest: (siblings: Readonly<Record<string, unknown>>) => Nest | undefined,
): AttributeCodec<Uint8Array> {
  return { ...codec, nest };
}
