/** Reads the kernel's counters of the process's own network namespace: five small files, well below a millisecond each. */

import { readFileSync } from "node:fs";
import {
  type Counters,
  parseConntrack,
  parseDevices,
  parseSnmp,
  parseSnmp6,
  wantedCounters,
} from "../../mode/index.ts";

import { IPIP_DEVICE, VXLAN_DEVICE, VXLAN6_DEVICE } from "../../plan/index.ts";

const directory = "/proc/self/net";

/** Of these devices, and of the host; a file that is not there (no IPv6, no conntrack) counts nothing. */
export function readCounters(devices: readonly string[]): Counters {
  return {
    ...parseSnmp(read("snmp"), wantedCounters),
    ...parseSnmp(read("netstat"), wantedCounters),
    ...parseSnmp6(read("snmp6"), wantedCounters),
    ...parseConntrack(read("stat/nf_conntrack")),
    ...parseDevices(read("dev"), new Set(devices)),
  };
}

function read(name: string): string {
  try {
    return readFileSync(`${directory}/${name}`, "utf8");
  } catch {
    return "";
  }
}

/** Devices that carry pods' packets to other nodes, those of every mode; one that is not there counts nothing. */
export function carriers(uplink: string | undefined): string[] {
  return [...(uplink === undefined ? [] : [uplink]), IPIP_DEVICE, VXLAN_DEVICE, VXLAN6_DEVICE];
}
