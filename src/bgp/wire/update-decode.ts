/**
 * UPDATE in (RFC 4271 section 4.3, RFC 4760), with RFC 7606's three grades of error: the session ends
 * (thrown), the routes are treated as withdrawn, or an attribute is left out.
 */

import { formatAddress, type IpAddress } from "../../lib/index.ts";
import type { AddressFamily } from "../types.ts";
import {
  decodeAttributes,
  type RawAttribute,
  type ScannedAttributes,
  scanAttributes,
} from "./attributes/decode.ts";
import { decodeMpReach, decodeMpUnreach, type MpReach } from "./attributes/multiprotocol.ts";
import type { AttributeTable } from "./attributes/table.ts";
import type { AttributeContext, PathAttributes } from "./attributes/types.ts";
import { bytesToKey, readUint16 } from "./bytes.ts";
import { attributeFlag, attributeType, HEADER_BYTES } from "./constants.ts";
import { decodeNlri, joinNlri, type Nlri } from "./nlri.ts";
import { ProtocolError } from "./notification.ts";
import type { PrefixKey } from "./prefix-key.ts";

export interface Update {
  readonly kind: "update";
  readonly withdrawn: readonly PrefixKey[];
  /** Path identifiers of `withdrawn` (RFC 7911), where there are such. */
  readonly withdrawnIds?: readonly number[];
  readonly reach: readonly Reach[];
  /** RFC 4724 section 2: this message says that the family's initial routes have all been sent. */
  readonly endOfRib?: AddressFamily;
  /** Why announced routes stand in `withdrawn` (RFC 7606 section 2). */
  readonly treatedAsWithdraw?: string;
  /** Attributes left out, and why. */
  readonly discarded: readonly string[];
  /** The whole message, a copy, where there is one of the two (RFC 7606 section 8). */
  readonly malformed?: Uint8Array;
}

export interface Reach extends Nlri {
  readonly attributes: PathAttributes;
}

export interface UpdateContext extends AttributeContext {
  readonly table: AttributeTable;
}

const nothing: readonly string[] = [];

/** Of sets that are known already: the attributes that were not taken in, which came again. */
const leftOut = new WeakMap<PathAttributes, readonly string[]>();

/** Of the NLRI outside of attributes. */
const family: AddressFamily = "ipv4-unicast";

/** `message` is whole, its header already checked (at least 23 bytes). @throws ProtocolError */
export function decodeUpdate(message: Uint8Array, context: UpdateContext): Update {
  const update = readUpdate(message, context);
  if (update.treatedAsWithdraw === undefined && update.discarded.length === 0) return update;
  return { ...update, malformed: message.slice() };
}

function readUpdate(message: Uint8Array, context: UpdateContext): Update {
  const { withdrawnField, block, nlriField } = cut(message);
  const { addPathReceive = [] } = context;
  const how = { family, withIds: addPathReceive.includes(family) };
  const withdrawn = decodeNlri(withdrawnField, how);
  const announced = decodeNlri(nlriField, how);
  if (block.length === 0) {
    if (announced.keys.length > 0) {
      const reason = "routes without attributes";
      return asWithdrawn({ withdrawn, announced, reason, discarded: nothing });
    }
    const empty = withdrawn.keys.length === 0;
    return {
      ...withdrawal(withdrawn),
      ...(empty ? { endOfRib: family } : {}),
    };
  }
  return withAttributes({ block, withdrawn, announced, context });
}

function cut(message: Uint8Array): Record<"withdrawnField" | "block" | "nlriField", Uint8Array> {
  const withdrawnEnd = HEADER_BYTES + 2 + readUint16(message, HEADER_BYTES);
  if (withdrawnEnd + 2 > message.length) {
    throw new ProtocolError("malformedAttributeList", "withdrawn routes run past the message");
  }
  const blockEnd = withdrawnEnd + 2 + readUint16(message, withdrawnEnd);
  if (blockEnd > message.length) {
    throw new ProtocolError("malformedAttributeList", "attributes run past the message");
  }
  return {
    withdrawnField: message.subarray(HEADER_BYTES + 2, withdrawnEnd),
    block: message.subarray(withdrawnEnd + 2, blockEnd),
    nlriField: message.subarray(blockEnd),
  };
}

function withAttributes(parts: {
  block: Uint8Array;
  withdrawn: Nlri;
  announced: Nlri;
  context: UpdateContext;
}): Update {
  const { block, announced, context } = parts;
  const scanned = scanAttributes(block);
  const unreach = scanned.mpUnreach && decodeMpUnreach(scanned.mpUnreach, context);
  const mpReach = scanned.mpReach && decodeMpReach(scanned.mpReach, context);
  const withdrawn = unreach ? joinNlri(parts.withdrawn, unreach.nlri) : parts.withdrawn;
  const reachable = announced.keys.length + (mpReach?.nlri.keys.length ?? 0);
  if (reachable === 0 && scanned.attributes.length === 0 && scanned.broken === undefined) {
    const ends = unreach && !scanned.mpReach && withdrawn.keys.length === 0;
    return {
      ...withdrawal(withdrawn),
      ...(ends ? { endOfRib: unreach.family } : {}),
    };
  }
  // Routes of a family that is not carried are of no concern, their attributes neither.
  if (reachable === 0 && scanned.mpReach && !mpReach) {
    return withdrawal(withdrawn);
  }
  const outcome = readReach({ block, scanned, announced, mpReach, context });
  if (outcome.reason === undefined) {
    return { ...withdrawal(withdrawn), reach: outcome.reach, discarded: outcome.discarded };
  }
  if (reachable === 0) {
    // RFC 7606 section 5.2: with no routes in sight, withdrawing them is not possible.
    throw new ProtocolError("malformedAttributeList", outcome.reason);
  }
  return asWithdrawn({
    withdrawn,
    announced: mpReach ? joinNlri(announced, mpReach.nlri) : announced,
    reason: outcome.reason,
    discarded: outcome.discarded,
  });
}

interface Outcome {
  readonly reach: Reach[];
  readonly discarded: readonly string[];
  readonly reason?: string;
}

function readReach(parts: {
  block: Uint8Array;
  scanned: ScannedAttributes;
  announced: Nlri;
  mpReach: MpReach | undefined;
  context: UpdateContext;
}): Outcome {
  const { block, scanned, announced, mpReach, context } = parts;
  const unusable = scanned.broken ?? mpReach?.problem ?? multiprotocolFlags(scanned);
  if (unusable !== undefined) return { reach: [], discarded: nothing, reason: unusable };
  const reach: Reach[] = [];
  let discarded: readonly string[] = nothing;
  const wanted: { nlri: Nlri; nextHop?: IpAddress }[] = [];
  if (announced.keys.length > 0) wanted.push({ nlri: announced });
  if (mpReach) wanted.push(mpReach);
  if (wanted.length === 0) {
    const decoded = decodeAttributes(scanned.attributes, context);
    const reason = decoded.withdraw;
    return { reach, discarded: decoded.discarded, ...(reason === undefined ? {} : { reason }) };
  }
  for (const { nlri, nextHop } of wanted) {
    const raw = nextHop === undefined ? scanned.attributes : withoutNextHop(scanned.attributes);
    const found = resolve({ block, raw, nextHop, context });
    discarded = found.discarded;
    if (found.attributes === undefined) return { reach: [], discarded, reason: found.reason! };
    reach.push({ attributes: found.attributes, keys: nlri.keys, ids: nlri.ids });
  }
  return { reach, discarded };
}

/** RFC 4760 section 3: of no meaning to what MP_REACH_NLRI announces, whatever stands in it. */
function withoutNextHop(attributes: readonly RawAttribute[]): readonly RawAttribute[] {
  const isNextHop = ({ type }: RawAttribute) => type === attributeType.nextHop;
  return attributes.some(isNextHop) ? attributes.filter((each) => !isNextHop(each)) : attributes;
}

/** RFC 7606 section 3 c; for MP_UNREACH_NLRI a withdrawal is what it asks for anyway. */
function multiprotocolFlags({ mpReach }: ScannedAttributes): string | undefined {
  const { optional, transitive } = attributeFlag;
  if (mpReach === undefined || (mpReach.flags & (optional | transitive)) === optional) {
    return undefined;
  }
  return `attribute ${mpReach.type}: flags 0x${mpReach.flags.toString(16)}`;
}

/** The shared set for these bytes and next hop, decoded only when it is new. */
function resolve(parts: {
  block: Uint8Array;
  raw: readonly RawAttribute[];
  nextHop: IpAddress | undefined;
  context: UpdateContext;
}): { attributes?: PathAttributes; reason?: string; discarded: readonly string[] } {
  const { block, raw, nextHop, context } = parts;
  let key = `${context.peerType}${context.fourOctetAs ? 4 : 2}`;
  key += nextHop === undefined ? "|" : `${formatAddress(nextHop)}|`;
  key += attributesKey(block, raw);
  const known = context.table.get(key);
  if (known !== undefined) return { attributes: known, discarded: leftOut.get(known) ?? nothing };
  const { draft, withdraw, discarded } = decodeAttributes(raw, context);
  if (nextHop !== undefined) draft.nextHop = nextHop;
  const reason = withdraw ?? missing(draft);
  if (reason !== undefined) return { reason, discarded };
  const attributes = context.table.add(key, draft as PathAttributes);
  if (discarded.length > 0) leftOut.set(attributes, discarded);
  return { attributes, discarded };
}

function attributesKey(block: Uint8Array, raw: readonly RawAttribute[]): string {
  const [first, last] = [raw[0], raw.at(-1)];
  if (first === undefined || last === undefined) return "";
  // The usual case: nothing stands between them.
  if (raw.every(({ start }, index) => index === 0 || start === raw[index - 1]!.end)) {
    const all = first.start === 0 && last.end === block.length;
    return bytesToKey(all ? block : block.subarray(first.start, last.end));
  }
  return raw.map(({ start, end }) => bytesToKey(block.subarray(start, end))).join("");
}

/** RFC 7606 section 3 d. LOCAL_PREF may be missing from internal peers: 100 is assumed. */
function missing(draft: { origin?: unknown; asPath?: unknown; nextHop?: unknown }) {
  if (draft.origin === undefined) return "ORIGIN is missing";
  if (draft.asPath === undefined) return "AS_PATH is missing";
  return draft.nextHop === undefined ? "NEXT_HOP is missing" : undefined;
}

function withdrawal({ keys, ids }: Nlri): Update {
  const withdrawn =
    ids === undefined ? { withdrawn: keys } : { withdrawn: keys, withdrawnIds: ids };
  return { kind: "update", ...withdrawn, reach: [], discarded: nothing };
}

function asWithdrawn(parts: {
  withdrawn: Nlri;
  announced: Nlri;
  reason: string;
  discarded: readonly string[];
}): Update {
  return {
    ...withdrawal(joinNlri(parts.withdrawn, parts.announced)),
    treatedAsWithdraw: parts.reason,
    discarded: parts.discarded,
  };
}
