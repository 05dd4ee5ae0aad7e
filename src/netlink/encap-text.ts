/** A lightweight tunnel as `ip route` prints it. */

import { formatAddress } from "../lib/index.ts";
import type { RouteEncap } from "./types-route.ts";

export function encapText(encap: RouteEncap): string {
  switch (encap.kind) {
    case "mpls": {
      const ttl = encap.ttl === undefined ? "" : `ttl ${encap.ttl} `;
      return `encap mpls ${encap.labels.join("/")} ${ttl}`;
    }
    case "bpf": {
      let text = "encap bpf ";
      for (const hook of ["in", "out", "xmit"] as const) {
        const program = encap[hook];
        if (program !== undefined) text += `${hook} ${program.name ?? "[]"} `;
      }
      return encap.headroomBytes ? `${text}headroom ${encap.headroomBytes} ` : text;
    }
    case "other":
      return `encap ${encap.type} `;
    default: {
      const { id = 0, source, destination, ttl = 0, tos = 0 } = encap;
      const none = encap.kind === "ip" ? "0.0.0.0" : "::";
      const text = (address: typeof source) =>
        address === undefined ? none : formatAddress(address);
      const [hops, quality] = encap.kind === "ip" ? ["ttl", "tos"] : ["hoplimit", "tc"];
      return `encap ${encap.kind} id ${id} src ${text(source)} dst ${text(destination)} ${hops} ${ttl} ${quality} ${tos} `;
    }
  }
}
