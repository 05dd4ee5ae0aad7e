/** The `ethtool` family: features (offloads), link state, names of counters (linux/ethtool_netlink.h). */

import { attributeTable, flaggedNest, nestedList } from "./attribute.ts";
import { bool8, flag, text, u8, u32 } from "./codecs.ts";
import { GENLMSGHDR_BYTES } from "./generic.ts";
import { defined, headerEnd } from "./header.ts";
import type { Message } from "./message.ts";

export const ETHTOOL_MSG_STRSET_GET = 1;
export const ETHTOOL_MSG_LINKSTATE_GET = 6;
export const ETHTOOL_MSG_FEATURES_GET = 11;
export const ETHTOOL_MSG_FEATURES_SET = 12;

const header = attributeTable("ETHTOOL_A_HEADER", {
  index: [1, "ETHTOOL_A_HEADER_DEV_INDEX", u32],
  name: [2, "ETHTOOL_A_HEADER_DEV_NAME", text],
  flags: [3, "ETHTOOL_A_HEADER_FLAGS", u32],
});

const bit = attributeTable("ETHTOOL_A_BITSET_BIT", {
  index: [1, "ETHTOOL_A_BITSET_BIT_INDEX", u32],
  name: [2, "ETHTOOL_A_BITSET_BIT_NAME", text],
  value: [3, "ETHTOOL_A_BITSET_BIT_VALUE", flag],
});

const bits = nestedList("ETHTOOL_A_BITSET_BITS", [
  1,
  "ETHTOOL_A_BITSET_BITS_BIT",
  flaggedNest(bit),
]);

const bitset = attributeTable("ETHTOOL_A_BITSET", {
  /** Only the bits that are set are listed. */
  noMask: [1, "ETHTOOL_A_BITSET_NOMASK", flag],
  size: [2, "ETHTOOL_A_BITSET_SIZE", u32],
  bits: [3, "ETHTOOL_A_BITSET_BITS", bits],
});

export const featuresTable = attributeTable("ETHTOOL_A_FEATURES", {
  header: [1, "ETHTOOL_A_FEATURES_HEADER", flaggedNest(header)],
  hardware: [2, "ETHTOOL_A_FEATURES_HW", flaggedNest(bitset)],
  wanted: [3, "ETHTOOL_A_FEATURES_WANTED", flaggedNest(bitset)],
  active: [4, "ETHTOOL_A_FEATURES_ACTIVE", flaggedNest(bitset)],
  noChange: [5, "ETHTOOL_A_FEATURES_NOCHANGE", flaggedNest(bitset)],
});

export const linkStateTable = attributeTable("ETHTOOL_A_LINKSTATE", {
  header: [1, "ETHTOOL_A_LINKSTATE_HEADER", flaggedNest(header)],
  link: [2, "ETHTOOL_A_LINKSTATE_LINK", bool8],
  sqi: [3, "ETHTOOL_A_LINKSTATE_SQI", u32],
  sqiMax: [4, "ETHTOOL_A_LINKSTATE_SQI_MAX", u32],
  extendedState: [5, "ETHTOOL_A_LINKSTATE_EXT_STATE", u8],
});

const string = attributeTable("ETHTOOL_A_STRING", {
  index: [1, "ETHTOOL_A_STRING_INDEX", u32],
  value: [2, "ETHTOOL_A_STRING_VALUE", text],
});

const stringSet = attributeTable("ETHTOOL_A_STRINGSET", {
  id: [1, "ETHTOOL_A_STRINGSET_ID", u32],
  count: [2, "ETHTOOL_A_STRINGSET_COUNT", u32],
  strings: [
    3,
    "ETHTOOL_A_STRINGSET_STRINGS",
    nestedList("ETHTOOL_A_STRINGS", [1, "ETHTOOL_A_STRINGS_STRING", flaggedNest(string)]),
  ],
});

export const stringSetsTable = attributeTable("ETHTOOL_A_STRSET", {
  header: [1, "ETHTOOL_A_STRSET_HEADER", flaggedNest(header)],
  sets: [
    2,
    "ETHTOOL_A_STRSET_STRINGSETS",
    nestedList("ETHTOOL_A_STRINGSETS", [
      1,
      "ETHTOOL_A_STRINGSETS_STRINGSET",
      flaggedNest(stringSet),
    ]),
  ],
});

export interface EthtoolFeature {
  readonly active: boolean;
  /** What somebody asked for; takes effect when what it depends on is on. */
  readonly wanted: boolean;
  /** The device cannot change it. */
  readonly fixed: boolean;
}

/** Features by the kernel's names. @throws NETLINK_MALFORMED. */
export function decodeFeatures(message: Message): ReadonlyMap<string, EthtoolFeature> {
  const from = headerEnd(message, "struct genlmsghdr", GENLMSGHDR_BYTES);
  const values = featuresTable.decode(message.view, from, message.end);
  const names = (set: typeof values.active) =>
    new Set((set?.bits ?? []).filter(({ value }) => value || set?.noMask).map(({ name }) => name));
  const active = names(values.active);
  const wanted = names(values.wanted);
  const noChange = names(values.noChange);
  const features = new Map<string, EthtoolFeature>();
  // The hardware's bitset comes with a mask, so that it lists every feature there is.
  for (const { name, value } of values.hardware?.bits ?? []) {
    if (name === undefined) continue;
    const fixed = value !== true || noChange.has(name);
    features.set(name, { active: active.has(name), wanted: wanted.has(name), fixed });
  }
  return features;
}

export interface FeatureChanges {
  /** What is now otherwise than before, by the kernel's names. */
  readonly changed: ReadonlyMap<string, boolean>;
  /** What was asked for and is not so. */
  readonly refused: readonly string[];
}

/** ETHTOOL_MSG_FEATURES_SET_REPLY. @throws NETLINK_MALFORMED. */
export function decodeFeatureChanges(message: Message): FeatureChanges {
  const from = headerEnd(message, "struct genlmsghdr", GENLMSGHDR_BYTES);
  const { wanted, active } = featuresTable.decode(message.view, from, message.end);
  const changed = new Map<string, boolean>();
  for (const { name = "", value } of active?.bits ?? []) changed.set(name, value === true);
  return { changed, refused: (wanted?.bits ?? []).map(({ name = "" }) => name) };
}

export interface EthtoolLinkState {
  /** Whether there is a link (carrier). */
  readonly link: boolean;
  /** Signal quality index and its best value, of some physical layers. */
  readonly sqi?: number;
  readonly sqiMax?: number;
  readonly extendedState?: number;
}

/** @throws NETLINK_MALFORMED. */
export function decodeLinkState(message: Message): EthtoolLinkState {
  const from = headerEnd(message, "struct genlmsghdr", GENLMSGHDR_BYTES);
  const { header: _header, link, ...same } = linkStateTable.decode(message.view, from, message.end);
  return defined({ link: link ?? false, ...same });
}

/** The strings of the first set, in the order of their indices. @throws NETLINK_MALFORMED. */
export function decodeStringSet(message: Message): readonly string[] {
  const from = headerEnd(message, "struct genlmsghdr", GENLMSGHDR_BYTES);
  const { sets = [] } = stringSetsTable.decode(message.view, from, message.end);
  const strings = [...(sets[0]?.strings ?? [])];
  return strings.sort((a, b) => (a.index ?? 0) - (b.index ?? 0)).map(({ value = "" }) => value);
}
