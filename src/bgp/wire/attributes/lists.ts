/** Attributes that are lists: COMMUNITIES, CLUSTER_LIST, extended and large communities. */

import type { Ipv4 } from "../../../lib/index.ts";
import { readUint32 } from "../bytes.ts";
import { attributeFlag, attributeType } from "../constants.ts";
import { withoutDuplicates } from "./communities.ts";
import type { AttributeCodec } from "./types.ts";

const { optional, transitive } = attributeFlag;

/** RFC 1997; RFC 7606 section 7.8. */
export const communitiesCodec: AttributeCodec = {
  type: attributeType.communities,
  flags: optional | transitive,
  onError: "treat-as-withdraw",
  decode(value, draft) {
    if (!isList(value, 4)) return `length ${value.length}`;
    draft.communities = numbers(value);
    return undefined;
  },
};

/** RFC 4456 section 8; RFC 7606 section 7.10. */
export const clusterListCodec: AttributeCodec = {
  type: attributeType.clusterList,
  flags: optional,
  onError: "treat-as-withdraw",
  ignoredFrom: ({ peerType }) => peerType === "ebgp",
  decode(value, draft) {
    if (!isList(value, 4)) return `length ${value.length}`;
    draft.clusterList = numbers(value) as Ipv4[];
    return undefined;
  },
};

/** RFC 4360; RFC 7606 section 7.14. */
export const extendedCommunitiesCodec: AttributeCodec = {
  type: attributeType.extendedCommunities,
  flags: optional | transitive,
  onError: "treat-as-withdraw",
  decode(value, draft) {
    if (!isList(value, 8)) return `length ${value.length}`;
    draft.extendedCommunities = value.slice();
    return undefined;
  },
};

/** RFC 8092 section 6. */
export const largeCommunitiesCodec: AttributeCodec = {
  type: attributeType.largeCommunities,
  flags: optional | transitive,
  onError: "treat-as-withdraw",
  decode(value, draft) {
    if (!isList(value, 12)) return `length ${value.length}`;
    draft.largeCommunities = withoutDuplicates(value, 12);
    return undefined;
  },
};

function isList(value: Uint8Array, itemBytes: number): boolean {
  return value.length > 0 && value.length % itemBytes === 0;
}

function numbers(value: Uint8Array): number[] {
  const list: number[] = [];
  for (let at = 0; at < value.length; at += 4) list.push(readUint32(value, at));
  return list;
}
