/** Where bgpd listens, and where the `bgp` commands look for it. */

export const defaultBgpdSocketPath = "/run/switchyard/bgpd.sock";
