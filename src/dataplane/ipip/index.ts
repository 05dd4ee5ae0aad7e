/** IP-in-IP tunnels behind one interface: by the kernel's module, or by BPF where there is none. */

export { bpfProblem } from "./attachment.ts";
export { tunnelFilters } from "./filters.ts";
export { openIpipBackend } from "./open.ts";
export type * from "./types.ts";
