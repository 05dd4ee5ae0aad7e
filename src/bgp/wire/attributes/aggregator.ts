/** ATOMIC_AGGREGATE, AGGREGATOR (RFC 4271 sections 5.1.6 and 5.1.7) and AS4_AGGREGATOR (RFC 6793). */

import type { Ipv4 } from "../../../lib/index.ts";
import { concatBytes, readUint16, readUint32, uint16, uint32 } from "../bytes.ts";
import { AS_TRANS, attributeFlag, attributeType } from "../constants.ts";
import type { Aggregator, AttributeCodec } from "./types.ts";

const AS_0 = "AS 0 (RFC 7607)";

export const atomicAggregateCodec: AttributeCodec = {
  type: attributeType.atomicAggregate,
  flags: attributeFlag.transitive,
  onError: "discard",
  decode(value, draft) {
    if (value.length !== 0) return `length ${value.length}`;
    draft.atomicAggregate = true;
    return undefined;
  },
};

export const aggregatorCodec: AttributeCodec = {
  type: attributeType.aggregator,
  flags: attributeFlag.optional | attributeFlag.transitive,
  onError: "discard",
  decode(value, draft, { fourOctetAs }) {
    const asBytes = fourOctetAs ? 4 : 2;
    if (value.length !== asBytes + 4) return `length ${value.length}`;
    const aggregator = decode(value, asBytes);
    if (aggregator.as === 0) return AS_0;
    draft.aggregator = aggregator;
    return undefined;
  },
};

export const as4AggregatorCodec: AttributeCodec = {
  type: attributeType.as4Aggregator,
  flags: attributeFlag.optional | attributeFlag.transitive,
  onError: "discard",
  ignoredFrom: ({ fourOctetAs }) => fourOctetAs,
  decode(value, draft) {
    if (value.length !== 8) return `length ${value.length}`;
    const aggregator = decode(value, 4);
    if (aggregator.as === 0) return AS_0;
    draft.as4Aggregator = aggregator;
    return undefined;
  },
};

function decode(value: Uint8Array, asBytes: 2 | 4): Aggregator {
  const as = asBytes === 4 ? readUint32(value, 0) : readUint16(value, 0);
  return { as, address: readUint32(value, asBytes) as Ipv4 };
}

export function encodeAggregator({ as, address }: Aggregator, asBytes: 2 | 4): Uint8Array {
  const number = asBytes === 4 ? uint32(as) : uint16(as > 0xffff ? AS_TRANS : as);
  return concatBytes([number, uint32(address)]);
}
