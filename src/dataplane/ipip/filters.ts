/** Where our two classifiers stand, and how to tell them from anybody else's. */

import { SwitchyardError } from "../../lib/index.ts";
import {
  type BpfProgramInfo,
  bpfProgramInfoById,
  queryTcFilter,
  type TcFilter,
} from "../../lib/sys/index.ts";
import { DECAP, ENCAP } from "./layout.ts";

/** Our own pair of numbers: others choose theirs, and neither meets the other. */
const PRIORITY = 4010;
const HANDLE = 0x5359;

export interface OwnFilter extends TcFilter {
  /** The program's name in bpf/ipip.bpf.c. */
  readonly program: typeof ENCAP | typeof DECAP;
}

export function encapFilter(tunnel: number): OwnFilter {
  return place({ device: tunnel, direction: "egress", program: ENCAP });
}

export function decapFilter(uplink: number): OwnFilter {
  return place({ device: uplink, direction: "ingress", program: DECAP });
}

function place(filter: Pick<OwnFilter, "device" | "direction" | "program">): OwnFilter {
  return { ...filter, priority: PRIORITY, handle: HANDLE };
}

/**
 * Our program that stands there, if any.
 * @throws OPERATION_NOT_SUPPORTED if somebody else's stands in its place.
 */
export function standingProgram(filter: OwnFilter): BpfProgramInfo | undefined {
  const id = queryTcFilter(filter);
  const info = id === undefined ? undefined : bpfProgramInfoById(id);
  if (info && info.name !== filter.program) {
    throw new SwitchyardError(
      "OPERATION_NOT_SUPPORTED",
      `${filter.direction} of device ${filter.device} has a foreign BPF filter (${info.name}) at ` +
        `priority ${filter.priority}, handle ${filter.handle}, where ${filter.program} belongs`,
    );
  }
  return info;
}

/** The two places between a tunnel device and an uplink, and whether our program stands there. */
export function tunnelFilters(devices: {
  readonly tunnel: number;
  readonly uplink: number;
}): readonly (OwnFilter & { readonly stands: boolean })[] {
  return [encapFilter(devices.tunnel), decapFilter(devices.uplink)].map((filter) => ({
    ...filter,
    stands: standingProgram(filter) !== undefined,
  }));
}
