/**
 * The BPF half of a tunnel: programs, maps and filters between one tunnel device and one uplink.
 *
 * Order of a change, so that no packet finds less than before: entries in, filters on (each replaced
 * in one step), configuration over, the old uplink's filter off, entries out.
 * Everything touching filters runs in the tunnel's namespace, by `inside`.
 */

import { errorText } from "../../lib/index.ts";
import {
  attachTcFilter,
  BpfObject,
  bpfProgramInfo,
  createClsact,
  deleteClsact,
  detachTcFilter,
  hasTcFilters,
} from "../../lib/sys/index.ts";
import { type AdoptedMaps, adoptMaps } from "./adopt.ts";
import { decapFilter, encapFilter, type OwnFilter, standingProgram } from "./filters.ts";
import {
  configKey,
  DECAP,
  decodeConfig,
  decodeCounters,
  destinationCodec,
  ENCAP,
  encodeConfig,
  encodeIndex,
  type IpipConfig,
  mapNames,
  prefixNumber,
  senderCodec,
} from "./layout.ts";
import { MirroredMap } from "./mirrored-map.ts";
import type { IpipCounters, IpipState } from "./types.ts";

/** The compiled bpf/ipip.bpf.c. */
export const objectPath = `${import.meta.dirname}/../../../bpf/ipip.bpf.o`;

/** Runs a synchronous body in the tunnel's namespace. */
export type Inside = <T>(body: () => T) => T;

export interface TunnelDevice {
  /** Interface index. */
  readonly index: number;
  readonly mac: string;
}

export class IpipAttachment {
  readonly #inside: Inside;
  readonly #object: BpfObject;
  readonly #destinations: MirroredMap;
  readonly #senders: MirroredMap;
  /** What the maps say, be it ours or a predecessor's; `undefined` before the first {@link apply}. */
  #config: IpipConfig | undefined;

  private constructor(parts: {
    readonly inside: Inside;
    readonly object: BpfObject;
    readonly destinations: MirroredMap;
    readonly senders: MirroredMap;
  }) {
    this.#inside = parts.inside;
    this.#object = parts.object;
    this.#destinations = parts.destinations;
    this.#senders = parts.senders;
    const bytes = parts.object.map("ipip_config").get(configKey);
    this.#config = bytes && decodeConfig(bytes);
  }

  /** Loads the programs, with the maps that filters at these devices hold, or with new ones. */
  static async open(
    inside: Inside,
    devices: { readonly tunnel?: number; readonly uplink?: number },
  ): Promise<IpipAttachment> {
    const object = load(inside(() => standingMaps(devices)));
    try {
      const destinations = await MirroredMap.open(object.map("ipip_dests"), destinationCodec);
      const senders = await MirroredMap.open(object.map("ipip_senders"), senderCodec);
      return new IpipAttachment({ inside, object, destinations, senders });
    } catch (error) {
      object.close();
      throw error;
    }
  }

  async apply(state: IpipState, tunnel: TunnelDevice): Promise<void> {
    const destinations = new Map(
      state.destinations.map(({ prefix, node }) => [prefixNumber(prefix), node]),
    );
    const senders = new Map(state.senders.map((sender) => [sender, 1]));
    await this.#destinations.put(destinations);
    await this.#senders.put(senders);
    this.#attach(state, tunnel);
    await this.#senders.prune(senders);
    await this.#destinations.prune(destinations);
  }

  #attach(state: IpipState, tunnel: TunnelDevice): void {
    const before = this.#config;
    const moved = before !== undefined && before.uplink !== state.uplink;
    const config = (ownsQdisc: boolean): IpipConfig => ({
      local: state.local,
      uplink: state.uplink,
      tunnel: tunnel.index,
      tunnelMac: tunnel.mac,
      accept: state.accept,
      ownsQdisc,
    });
    this.#inside(() => {
      const made = createClsact(state.uplink);
      const ownsQdisc = made || (!moved && before?.ownsQdisc === true);
      // New maps must speak before a program that stands is replaced by one that reads them.
      if (!before) this.#configure(config(ownsQdisc));
      this.#stand(decapFilter(state.uplink));
      createClsact(tunnel.index);
      this.#stand(encapFilter(tunnel.index));
      this.#configure(config(ownsQdisc));
      if (moved) leaveUplink(before);
    });
  }

  #configure(config: IpipConfig): void {
    const bytes = encodeConfig(config);
    if (this.#config && bytes.equals(encodeConfig(this.#config))) return;
    this.#object.map("ipip_config").set(configKey, bytes);
    this.#config = config;
  }

  /** Attaches the program unless the very same, on the same maps, is there. */
  #stand(filter: OwnFilter): void {
    const fd = this.#object.program(filter.program);
    const wanted = bpfProgramInfo(fd);
    const standing = standingProgram(filter);
    const same =
      standing !== undefined &&
      standing.tag === wanted.tag &&
      wanted.mapIds.every((id) => standing.mapIds.includes(id));
    if (!same) attachTcFilter(filter, fd);
  }

  counters(): IpipCounters {
    const map = this.#object.map("ipip_counters");
    return decodeCounters((index) => map.get(encodeIndex(index)) ?? Buffer.alloc(0));
  }

  /** Takes both filters off. */
  detach(): void {
    const config = this.#config;
    if (!config) return;
    this.#inside(() => {
      detachTcFilter(encapFilter(config.tunnel));
      leaveUplink(config);
    });
    this.#config = undefined;
  }

  close(): void {
    this.#object.close();
  }
}

/** Why this kernel does not take the programs; undefined if it does. Loads them, attaches nothing. */
export function bpfProblem(): string | undefined {
  try {
    load(undefined).close();
    return undefined;
  } catch (error) {
    return errorText(error);
  }
}

/** Takes over and closes the maps. */
function load(maps: AdoptedMaps | undefined): BpfObject {
  try {
    return BpfObject.load({
      path: objectPath,
      classifiers: [ENCAP, DECAP],
      maps: mapNames,
      ...(maps ? { reuse: maps } : {}),
    });
  } finally {
    for (const map of maps?.values() ?? []) map.close();
  }
}

function standingMaps(devices: {
  readonly tunnel?: number;
  readonly uplink?: number;
}): AdoptedMaps | undefined {
  const { tunnel, uplink } = devices;
  return adoptMaps([
    tunnel === undefined ? undefined : standingProgram(encapFilter(tunnel)),
    uplink === undefined ? undefined : standingProgram(decapFilter(uplink)),
  ]);
}

/** Deletes our filter, and the qdisc if it is ours and nobody else has put a filter there. */
function leaveUplink(config: IpipConfig): void {
  const filter = decapFilter(config.uplink);
  if (standingProgram(filter)) detachTcFilter(filter);
  if (config.ownsQdisc && !hasTcFilters(config.uplink)) deleteClsact(config.uplink);
}
