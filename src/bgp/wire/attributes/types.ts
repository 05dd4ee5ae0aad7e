/** What path attributes say, decoded; and what each attribute's codec has to offer. */

import type { IpAddress, Ipv4 } from "../../../lib/index.ts";
import type { AddressFamily } from "../../types.ts";

export type Origin = "igp" | "egp" | "incomplete";

export interface AsSegment {
  readonly kind: "sequence" | "set";
  readonly asns: readonly number[];
}

export interface Aggregator {
  readonly as: number;
  readonly address: Ipv4;
}

/** An optional transitive attribute this speaker does not know; passed on with the partial bit. */
export interface UnknownAttribute {
  readonly type: number;
  readonly value: Uint8Array;
}

/** One set of attributes, shared by every route that has it. Compared by identity. */
export interface PathAttributes {
  readonly origin: Origin;
  readonly asPath: readonly AsSegment[];
  readonly nextHop: IpAddress;
  readonly med?: number;
  readonly localPref?: number;
  readonly atomicAggregate?: boolean;
  readonly aggregator?: Aggregator;
  readonly communities?: readonly number[];
  readonly originatorId?: Ipv4;
  readonly clusterList?: readonly Ipv4[];
  /** RFC 4360 values, uninterpreted. */
  readonly extendedCommunities?: Uint8Array;
  /** RFC 8092 values, uninterpreted. */
  readonly largeCommunities?: Uint8Array;
  /** RFC 9234 section 5: the AS that told it to a customer, a peer or a client of a route server. */
  readonly onlyToCustomer?: number;
  readonly unknown?: readonly UnknownAttribute[];
  /** Types of those above that came with the Partial bit, which stays set (RFC 4271 section 5). */
  readonly partial?: readonly number[];
}

export interface AttributeContext {
  /** Both sides announced 4-octet AS numbers (RFC 6793). */
  readonly fourOctetAs: boolean;
  readonly peerType: "ibgp" | "ebgp";
  /** RFC 8950 was agreed on for IPv4; not unless told. */
  readonly extendedNextHop?: boolean;
  /** Families whose NLRI come with path identifiers (RFC 7911); none unless told. */
  readonly addPathReceive?: readonly AddressFamily[];
}

/** What is wrong where it costs something else than the attribute's other errors do. */
export interface GradedError {
  readonly grade: ErrorGrade;
  readonly reason: string;
}

export type ErrorGrade = "treat-as-withdraw" | "discard";

/** Attributes of one message while they are read. */
export type AttributeDraft = {
  -readonly [K in keyof PathAttributes]?: PathAttributes[K];
} & { as4Path?: readonly AsSegment[]; as4Aggregator?: Aggregator };

export interface AttributeCodec {
  readonly type: number;
  /** The optional and transitive bits the attribute must have. */
  readonly flags: number;
  /** RFC 7606 section 7: what an error in it costs. */
  readonly onError: ErrorGrade;
  /** Not taken from such peers at all (RFC 7606 sections 7.5, 7.9 and 7.10; RFC 6793 section 4.1). */
  ignoredFrom?(context: AttributeContext): boolean;
  /** Writes into the draft, or returns what is wrong. */
  decode(
    value: Uint8Array,
    draft: AttributeDraft,
    context: AttributeContext,
  ): string | GradedError | undefined;
}
