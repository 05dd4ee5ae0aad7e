/** The check at the door: a state the kernel could hold. */

import {
  formatAddress,
  formatPrefix,
  type Ipv4,
  isMasked,
  SwitchyardError,
} from "../../lib/index.ts";
import { prefixNumber } from "./layout.ts";
import type { IpipState } from "./types.ts";

/** IFNAMSIZ less its zero; no `/`, no white space (dev_valid_name of the kernel). */
const deviceName = /^(?!\.{1,2}$)[^\s/:]{1,15}$/;
const macAddress = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;
/** RFC 791: every link carries 68 bytes. */
const MINIMUM_MTU = 68;
const MAXIMUM_MTU = 65_535;

/**
 * @param own Name of the backend's device.
 * @throws SwitchyardError INVALID_ARGUMENT that names the field.
 */
export function checkIpipState(state: IpipState, own: string): void {
  const { device, mtu, uplink, uplinkMac } = state;
  if (!deviceName.test(device)) refuse("device", JSON.stringify(device), "a device name");
  if (device !== own) refuse("device", device, own);
  if (!Number.isInteger(mtu) || mtu < MINIMUM_MTU || mtu > MAXIMUM_MTU)
    refuse("mtu", mtu, `between ${MINIMUM_MTU} and ${MAXIMUM_MTU}`);
  if (!Number.isInteger(uplink) || uplink < 1 || uplink > 0x7fffffff)
    refuse("uplink", uplink, "an interface index");
  if (!macAddress.test(uplinkMac))
    refuse("uplinkMac", JSON.stringify(uplinkMac), "a MAC address in lower case");
  if (!isUnicast(state.local)) refuse("local", formatAddress(state.local), "a unicast address");
  for (const sender of state.senders) {
    if (!isUnicast(sender)) refuse("senders", formatAddress(sender), "unicast addresses");
  }
  checkDestinations(state);
}

function checkDestinations(state: IpipState): void {
  const nodes = new Map<number, Ipv4>();
  for (const { prefix, node } of state.destinations) {
    if (!(prefix.length >= 0 && prefix.length <= 32) || !isMasked(prefix))
      refuse("destinations", formatPrefix(prefix), "prefixes without host bits");
    if (!isUnicast(node) || node === state.local) {
      const text = `${formatPrefix(prefix)} via ${formatAddress(node)}`;
      refuse("destinations", text, "behind another node");
    }
    const key = prefixNumber(prefix);
    const other = nodes.get(key);
    if (other !== undefined && other !== node) {
      const both = `${formatAddress(other)} and ${formatAddress(node)}`;
      refuse("destinations", `${formatPrefix(prefix)} via ${both}`, "behind one node each");
    }
    nodes.set(key, node);
  }
}

function isUnicast(address: Ipv4): boolean {
  return Number.isInteger(address) && address > 0 && address < 0xe0000000;
}

function refuse(field: string, value: string | number, expected: string): never {
  throw new SwitchyardError(
    "INVALID_ARGUMENT",
    `ipip tunnel: ${field} must be ${expected}, not ${value}`,
    {
      details: { field, value },
    },
  );
}
