/**
 * What `ethtool -k`, `-K`, `-S` and the link state are made of. All through generic netlink but the values
 * of a driver's own counters, which the kernel gives by ioctl only.
 */

import { readDriverCounters } from "../lib/sys/index.ts";
import type { AttributeTable } from "./attribute.ts";
import {
  decodeFeatureChanges,
  decodeFeatures,
  decodeLinkState,
  decodeStringSet,
  ETHTOOL_MSG_FEATURES_GET,
  ETHTOOL_MSG_FEATURES_SET,
  ETHTOOL_MSG_LINKSTATE_GET,
  ETHTOOL_MSG_STRSET_GET,
  type EthtoolFeature,
  type EthtoolLinkState,
  type FeatureChanges,
  featuresTable,
  linkStateTable,
  stringSetsTable,
} from "./ethtool.ts";
import { featureMembers } from "./ethtool-names.ts";
import {
  GENLMSGHDR_BYTES,
  GenericSocket,
  type GenericSocketOptions,
  writeGenericHeader,
} from "./generic.ts";
import type { Message } from "./message.ts";
import { request } from "./request.ts";
import { build } from "./writer.ts";

/** ETH_SS_STATS. */
const COUNTER_NAMES = 1;

/** @throws SYSTEM_CALL_FAILED if the namespace cannot be entered. */
export function openEthtool(options: GenericSocketOptions = {}): EthtoolSocket {
  return new EthtoolSocket(options);
}

export class EthtoolSocket {
  readonly #socket: GenericSocket;
  readonly #namespace: string | undefined;

  constructor(options: GenericSocketOptions) {
    this.#socket = new GenericSocket(options);
    this.#namespace = options.namespace;
  }

  /** Offloads by the kernel's names (`tx-checksum-ip-generic`), as `ethtool -k`. @throws NETLINK_REFUSED. */
  features(device: string): ReadonlyMap<string, EthtoolFeature> {
    const values = { header: { name: device } };
    const of = { command: ETHTOOL_MSG_FEATURES_GET, table: featuresTable, values };
    return this.#ask(`-k ${device}`, of, decodeFeatures) ?? new Map();
  }

  /**
   * Switches offloads, as `ethtool -K`: names are the kernel's, or those of `ethtool` for groups of them
   * (`tx-checksumming` or `tx`, `tso`, `gro`). What of a group the device cannot change is left alone;
   * a single feature that it cannot change is among the `refused`.
   */
  setFeatures(device: string, wanted: Readonly<Record<string, boolean>>): FeatureChanges {
    const known = this.features(device);
    const bits = Object.entries(wanted).flatMap(([name, on]) => {
      const members = featureMembers(name, known.keys());
      const asked =
        members.length > 1 ? members.filter((each) => !known.get(each)!.fixed) : members;
      return asked.map((member) =>
        on ? { name: member, value: true as const } : { name: member },
      );
    });
    const words = Object.entries(wanted).map(([name, on]) => `${name} ${on ? "on" : "off"}`);
    const values = { header: { name: device }, wanted: { bits } };
    const of = { command: ETHTOOL_MSG_FEATURES_SET, table: featuresTable, values };
    const result = this.#ask(`-K ${device} ${words.join(" ")}`, of, decodeFeatureChanges);
    return result ?? { changed: new Map(), refused: [] };
  }

  linkState(device: string): EthtoolLinkState {
    const values = { header: { name: device } };
    const of = { command: ETHTOOL_MSG_LINKSTATE_GET, table: linkStateTable, values };
    return this.#ask(device, of, decodeLinkState) ?? { link: false };
  }

  /** The counters of the device's driver, as `ethtool -S`; empty if it has none. */
  driverStatistics(device: string): ReadonlyMap<string, number> {
    const values = { header: { name: device }, sets: [{ id: COUNTER_NAMES }] };
    const of = { command: ETHTOOL_MSG_STRSET_GET, table: stringSetsTable, values };
    const names = this.#ask(`-S ${device}`, of, decodeStringSet) ?? [];
    if (names.length === 0) return new Map();
    const counters = readDriverCounters(device, {
      count: names.length,
      namespace: this.#namespace,
    });
    return new Map(names.map((name, i) => [name, counters[i] ?? 0]));
  }

  #ask<V extends object, T>(
    words: string,
    of: { readonly command: number; readonly table: AttributeTable<V>; readonly values: V },
    decode: (message: Message) => T,
  ): T | undefined {
    const { command, table, values } = of;
    const { id, version } = this.#socket.family("ethtool");
    const payload = build((writer) => {
      writeGenericHeader(writer, command, version);
      table.encode(writer, values);
    });
    const layout = { headerBytes: GENLMSGHDR_BYTES, table };
    let answer: T | undefined;
    this.#socket.request(
      request({ type: id, flags: 0, payload, layout, text: () => `ethtool ${words}` }),
      (message) => {
        answer = decode(message);
      },
    );
    return answer;
  }

  close(): void {
    this.#socket.close();
  }
}
