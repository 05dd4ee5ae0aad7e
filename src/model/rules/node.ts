/** Node: addresses of the right family and shape. */

import type { FieldError } from "../errors.ts";
import type { Node } from "../resource.ts";
import { FieldChecks } from "./primitives.ts";
import type { RuleSet } from "./rule-set.ts";

function validate({ spec, status }: Node): readonly FieldError[] {
  const checks = new FieldChecks();
  const { bgp } = spec;
  checks.tag("cidrv4", "IPv4Address", bgp?.ipv4Address);
  checks.tag("cidrv6", "IPv6Address", bgp?.ipv6Address);
  checks.tag("ipv4", "IPv4IPIPTunnelAddr", bgp?.ipv4IPIPTunnelAddr);
  checks.tag("ipv4", "RouteReflectorClusterID", bgp?.routeReflectorClusterID);
  checks.tag("ipv4", "IPv4VXLANTunnelAddr", spec.ipv4VXLANTunnelAddr);
  checks.tag("mac", "VXLANTunnelMACAddr", spec.vxlanTunnelMACAddr);
  checks.tag("ipv6", "IPv6VXLANTunnelAddr", spec.ipv6VXLANTunnelAddr);
  checks.tag("mac", "VXLANTunnelMACAddrV6", spec.vxlanTunnelMACAddrV6);
  checks.tag("ipv4", "InterfaceIPv4Address", spec.wireguard?.interfaceIPv4Address);
  checks.tag("ipv6", "InterfaceIPv6Address", spec.wireguard?.interfaceIPv6Address);
  for (const { address, type } of spec.addresses ?? []) {
    checks.tag("net", "Address", address);
    checks.tag("ipType", "Type", type);
  }
  for (const { name, addresses } of spec.interfaces ?? []) {
    checks.tag("interface", "Name", name);
    checks.tagEach("ip", "Addresses", addresses);
  }
  checks.tag("wireguardPublicKey", "WireguardPublicKey", status?.wireguardPublicKey);
  checks.tag("wireguardPublicKey", "WireguardPublicKeyV6", status?.wireguardPublicKeyV6);
  if (bgp && Object.values(bgp).every((value) => value === undefined || value === "")) {
    checks.add({ name: "BGP", reason: "Spec.BGP should not be empty" });
  }
  return checks.errors;
}

export const nodeRules: RuleSet<"Node"> = { validate };
