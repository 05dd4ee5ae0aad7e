/** A dataplane whose every way to the kernel can be made to fail, or to stop and wait. */

import { BpfBackend } from "../../src/dataplane/ipip/bpf-backend.ts";
import type { IpipBackend } from "../../src/dataplane/ipip/types.ts";
import { type DataplaneParts, KernelDataplane } from "../../src/dataplane/kernel-dataplane.ts";
import { nft } from "../../src/dataplane/nft.ts";
import { SwitchyardError, systemClock } from "../../src/lib/index.ts";
import { silentLog } from "../../src/lib/log/index.ts";
import { openRouteSocket, type Request, type RouteSocket } from "../../src/netlink/index.ts";

/**
 * Called before each operation with its kind (`dump routes`, `route replace`, `link add`, `nft -f`): nothing
 * returned, it happens; `refuse`, it does not; `lose`, it happens but its answer is an error.
 */
export type Fault = (kind: string) => Promise<Verdict> | Verdict;
export type Verdict = { readonly kind: "refuse" | "lose"; readonly errno: string } | undefined;

export function faultyParts(namespace: string, fault: Fault): DataplaneParts {
  const socket = openRouteSocket({ namespace, dumpRetries: 0 });
  return {
    socket: faultySocket(socket, fault),
    runNft: (options) =>
      attempt(`nft ${options.arguments[0]}`, fault, () => nft(options), "COMMAND_FAILED"),
    openIpip: async () => {
      const links = faultySocket(openRouteSocket({ namespace }), fault);
      const backend: IpipBackend = new BpfBackend({ links, device: "tunl0", namespace });
      const whole = (state: Parameters<IpipBackend["apply"]>[0]) =>
        attempt("ipip apply", fault, () => backend.apply(state), "SYSTEM_CALL_FAILED");
      return {
        kind: "bpf",
        apply: whole,
        counters: () => backend.counters(),
        remove: () => attempt("ipip remove", fault, () => backend.remove(), "SYSTEM_CALL_FAILED"),
        close: () => backend.close(),
      };
    },
  };
}

export function faultyDataplane(namespace: string, fault: Fault): KernelDataplane {
  const options = { namespace, clock: systemClock, log: silentLog, firewallCheckMs: 0 };
  return new KernelDataplane(options, faultyParts(namespace, fault));
}

async function attempt<T>(
  kind: string,
  fault: Fault,
  act: () => Promise<T>,
  code: "NETLINK_REFUSED" | "COMMAND_FAILED" | "SYSTEM_CALL_FAILED" = "NETLINK_REFUSED",
): Promise<T> {
  const verdict = await fault(kind);
  if (verdict?.kind === "refuse") throw failure(kind, verdict.errno, code);
  const result = await act();
  if (verdict?.kind === "lose") throw failure(kind, verdict.errno, code);
  return result;
}

function failure(kind: string, errno: string, code: SwitchyardError["code"]): SwitchyardError {
  const interrupted = kind.startsWith("dump ") && errno === "EINTR";
  return new SwitchyardError(interrupted ? "NETLINK_DUMP_INTERRUPTED" : code, `${kind}: ${errno}`, {
    details: { errno },
  });
}

const DUMPS = new Set(["links", "addresses", "routes", "neighbours", "fdb"]);

function faultySocket(socket: RouteSocket, fault: Fault): RouteSocket {
  const executeEach: RouteSocket["executeEach"] = async (requests, refused) => {
    let index = 0;
    for (const request of requests) {
      const place = index++;
      const verdict = await fault(verb(request));
      const error = verdict && failure(verb(request), verdict.errno, "NETLINK_REFUSED");
      let own: SwitchyardError | undefined;
      if (verdict?.kind !== "refuse") {
        await socket.executeEach([request], (refusal) => {
          own = refusal.error;
        });
      }
      if (error ?? own) refused({ index: place, request, error: (error ?? own)! });
    }
    return index;
  };
  return new Proxy(socket, {
    get(target, name) {
      if (name === "executeEach") return executeEach;
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      const call = (...args: unknown[]) => member.apply(target, args);
      const text = String(name);
      if (DUMPS.has(text))
        return (...args: unknown[]) => attempt(`dump ${text}`, fault, () => call(...args));
      const kind = { createLink: "link add", changeLink: "link set", deleteLink: "link delete" }[
        text
      ];
      return kind === undefined
        ? call
        : (...args: unknown[]) => attempt(kind, fault, () => call(...args));
    },
  });
}

/** `route replace`, `neigh delete`: the first two words. */
function verb({ text }: Request): string {
  return text.split(" ").slice(0, 2).join(" ");
}
