/** The devices we make on a node, by Calico's names, and what an encapsulation costs. */

/** IP-in-IP device; the ipip module's own fallback device has this name too. */
export const IPIP_DEVICE = "tunl0";
export const VXLAN_DEVICE = "vxlan.calico";
export const VXLAN6_DEVICE = "vxlan-v6.calico";

/** Bytes that an outer IPv4 header takes. */
export const IPIP_OVERHEAD_BYTES = 20;
/** Outer IPv4, UDP, VXLAN and inner Ethernet headers. */
export const VXLAN_OVERHEAD_BYTES = 50;
/** The same with an outer IPv6 header. */
export const VXLAN6_OVERHEAD_BYTES = 70;
