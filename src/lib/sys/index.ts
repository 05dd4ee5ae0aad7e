/** The room of system calls Node.js does not offer: libc through koffi, namespaces, raw sockets. */

export * from "./bpf-info.ts";
export * from "./bpf-map.ts";
export * from "./bpf-object.ts";
export * from "./bpf-run.ts";
export * from "./bpf-tc.ts";
export * from "./ethtool.ts";
export * from "./file-descriptor.ts";
export * from "./icmp-socket.ts";
export * from "./namespace.ts";
export * from "./netlink.ts";
export * from "./open-socket.ts";
export * from "./socket-filter.ts";
export * from "./socket-options.ts";
export * from "./system-error.ts";
export * from "./tc-filter-list.ts";
export * from "./tun.ts";
