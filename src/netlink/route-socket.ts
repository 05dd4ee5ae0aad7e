/**
 * The kernel's links, addresses, routes, neighbours, forwarding entries and rules in one network
 * namespace, read and changed. Operations on one socket run one after the other, in the order of calls.
 */

import { type Family, hasCode, type IpAddress, SwitchyardError } from "../lib/index.ts";
import { decodeAddress } from "./address.ts";
import {
  AF_BRIDGE,
  AF_INET,
  AF_INET6,
  familyNumber,
  RT_TABLE_MAIN,
  RTM_GETADDR,
  RTM_GETLINK,
  RTM_GETNEIGH,
  RTM_GETRULE,
  RTM_NEWNEIGH,
} from "./constants.ts";
import { Exchange } from "./exchange.ts";
import { decodeFdbEntry } from "./fdb.ts";
import { decodeLink, decodeStatistics } from "./link.ts";
import { linkAttributes } from "./link-attributes.ts";
import { linkAdd, linkChange, linkDelete, linkUp, type WithRequest } from "./link-request.ts";
import type { Message } from "./message.ts";
import { decodeNeighbour, neighbourAttributes, writeNeighbourHeader } from "./neighbour.ts";
import { request } from "./request.ts";
import { decodeRoute, isCloned } from "./route.ts";
import { type LookupOptions, routeDump, routeLookup } from "./route-query.ts";
import { decodeRule } from "./rule.ts";
import { NetlinkSocket } from "./socket.ts";
import type {
  FdbEntry,
  Link,
  LinkAddress,
  LinkChanges,
  LinkSpec,
  LinkStatistics,
  Neighbour,
  NeighbourFilter,
  Request,
  Route,
  RouteFilter,
  Rule,
} from "./types.ts";
import { build, type Writer } from "./writer.ts";

const RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024;
/** RTEXT_FILTER_SKIP_STATS: counters would be most of a dump. */
const SKIP_STATISTICS = 8;

export interface RouteSocketOptions {
  /** Path of a network namespace (`/run/netns/x`); the process's own unless told. */
  readonly namespace?: string;
  /** How often an interrupted dump is read again before NETLINK_DUMP_INTERRUPTED; 0 unless told. */
  readonly dumpRetries?: number;
}

/** @throws SYSTEM_CALL_FAILED if the namespace cannot be entered. */
export function openRouteSocket(options: RouteSocketOptions = {}): RouteSocket {
  const { namespace, dumpRetries = 0 } = options;
  const socket = new NetlinkSocket({
    receiveBufferBytes: RECEIVE_BUFFER_BYTES,
    ...(namespace === undefined ? {} : { namespace }),
  });
  return new RouteSocket(socket, dumpRetries);
}

export class RouteSocket {
  readonly #socket: NetlinkSocket;
  readonly #exchange: Exchange;
  readonly #dumpRetries: number;
  #last: Promise<unknown> = Promise.resolve();

  constructor(socket: NetlinkSocket, dumpRetries: number) {
    this.#socket = socket;
    this.#exchange = new Exchange(socket);
    this.#dumpRetries = dumpRetries;
  }

  /** The kernel names it as the author of the changes made here. */
  get port(): number {
    return this.#socket.port;
  }

  /** Runs `operation` when all before it are done. */
  #inTurn<T>(operation: () => T | Promise<T>): Promise<T> {
    const result = this.#last.then(operation);
    this.#last = result.catch(() => {});
    return result;
  }

  /**
   * Reads tables, each by a request, until a pass was not interrupted or retries are used up. `empty`
   * names the refusals that mean there is no such table.
   */
  #dump<T>(
    requests: readonly Request[],
    decode: (message: Message) => T | undefined,
    options: { readonly empty?: readonly string[] } = {},
  ): Promise<T[]> {
    return this.#inTurn(async () => {
      for (let attempt = 0; ; attempt++) {
        const found: T[] = [];
        try {
          for (const request of requests) {
            const dumped = this.#exchange.dump(request, (message) => {
              const item = decode(message);
              if (item !== undefined) found.push(item);
            });
            await dumped.catch((error) => {
              if (!isRefusal(error, options.empty ?? [])) throw error;
            });
          }
          return found;
        } catch (error) {
          if (!hasCode(error, "NETLINK_DUMP_INTERRUPTED") || attempt >= this.#dumpRetries)
            throw error;
        }
      }
    });
  }

  links(): Promise<Link[]> {
    const payload = build((writer) => {
      writeLinkHeader(writer, 0);
      linkAttributes.encode(writer, { extendedMask: SKIP_STATISTICS });
    });
    const dump = request({ type: RTM_GETLINK, flags: 0, payload, text: () => "link show" });
    return this.#dump([dump], decodeLink);
  }

  link(nameOrIndex: string | number): Promise<Link | undefined> {
    return this.#getLink(nameOrIndex, SKIP_STATISTICS, decodeLink);
  }

  /** Counters of one link; undefined if there is no such link. */
  statistics(nameOrIndex: string | number): Promise<LinkStatistics | undefined> {
    return this.#getLink(nameOrIndex, 0, decodeStatistics);
  }

  #getLink<T>(
    nameOrIndex: string | number,
    extendedMask: number,
    decode: (message: Message) => T,
  ): Promise<T | undefined> {
    return this.#inTurn(() => {
      const named = typeof nameOrIndex === "string";
      const payload = build((writer) => {
        writeLinkHeader(writer, named ? 0 : nameOrIndex);
        linkAttributes.encode(writer, { name: named ? nameOrIndex : undefined, extendedMask });
      });
      const text = () => `link show ${nameOrIndex}`;
      let found: T | undefined;
      try {
        this.#exchange.request(
          request({ type: RTM_GETLINK, flags: 0, payload, text }),
          (message) => {
            found = decode(message);
          },
        );
      } catch (error) {
        if (!isRefusal(error, ["ENODEV"])) throw error;
      }
      return found;
    });
  }

  /** @throws NETLINK_REFUSED, with the kernel's own words. */
  async createLink(spec: LinkSpec): Promise<Link> {
    await this.#change(linkAdd(spec));
    if (spec.kind === "veth" && spec.peer.up) await this.#setPeerUp(spec.peer);
    const link = await this.link(spec.name);
    if (link === undefined) {
      throw new SwitchyardError(
        "RESOURCE_NOT_FOUND",
        `link ${spec.name} vanished after it was made`,
      );
    }
    return link;
  }

  async #setPeerUp(peer: { readonly name: string; readonly namespace?: string }): Promise<void> {
    const { name, namespace } = peer;
    if (namespace === undefined) return this.apply(linkUp(name));
    const there = openRouteSocket({ namespace });
    try {
      await there.apply(linkUp(name));
    } finally {
      there.close();
    }
  }

  changeLink(index: number, changes: LinkChanges): Promise<void> {
    return this.#change(linkChange(index, changes));
  }

  deleteLink(index: number): Promise<void> {
    return this.#change((use) => use(linkDelete(index)));
  }

  #change(withRequest: WithRequest): Promise<void> {
    return this.#inTurn(() => withRequest((request) => this.#exchange.request(request)));
  }

  /** One change. @throws NETLINK_REFUSED. */
  apply(request: Request): Promise<void> {
    return this.#inTurn(() => this.#exchange.request(request));
  }

  addresses(
    filter: { readonly index?: number; readonly family?: Family } = {},
  ): Promise<LinkAddress[]> {
    const { index, family } = filter;
    const payload = build((writer) => {
      writer.u32(family === undefined ? 0 : familyNumber(family));
      writer.u32(index ?? 0);
    });
    const dump = request({ type: RTM_GETADDR, flags: 0, payload, text: () => "address show" });
    return this.#dump([dump], (message) => {
      const address = decodeAddress(message);
      return index === undefined || address.index === index ? address : undefined;
    });
  }

  /**
   * Entries of routing tables; the main table unless told. The kernel (6.18) does not report an
   * interruption of this dump: routes that stay are all read, one that comes or goes meanwhile may not be.
   */
  routes(filter: RouteFilter = {}): Promise<Route[]> {
    const { table = RT_TABLE_MAIN, protocol, device } = filter;
    const families: Family[] = filter.family === undefined ? [4, 6] : [filter.family];
    return this.#dump(
      families.map((family) => routeDump(family, filter)),
      (message) => {
        const route = decodeRoute(message);
        if (isCloned(message)) return undefined;
        if (table !== 0 && route.table !== table) return undefined;
        if (protocol !== undefined && route.protocol !== protocol) return undefined;
        return device === undefined || usesDevice(route, device) ? route : undefined;
      },
      // "FIB table does not exist": nothing was ever put into it.
      { empty: ["ENOENT"] },
    );
  }

  /** The ARP and ND tables, without proxy entries. */
  neighbours(filter: NeighbourFilter = {}): Promise<Neighbour[]> {
    const { index = 0 } = filter;
    const families =
      filter.family === undefined ? [AF_INET, AF_INET6] : [familyNumber(filter.family)];
    return this.#dump(
      families.map((family) => neighbourDump(family, index)),
      (message) => {
        if (message.type !== RTM_NEWNEIGH) return undefined;
        const neighbour = decodeNeighbour(message);
        return index === 0 || neighbour.index === index ? neighbour : undefined;
      },
    );
  }

  /** Forwarding entries of vxlan devices and bridges. */
  fdb(filter: { readonly index?: number } = {}): Promise<FdbEntry[]> {
    const { index = 0 } = filter;
    return this.#dump([neighbourDump(AF_BRIDGE, index)], (message) => {
      const entry = decodeFdbEntry(message);
      return index === 0 || entry.index === index ? entry : undefined;
    });
  }

  rules(family: Family): Promise<Rule[]> {
    const payload = build((writer) => {
      writer.u32(familyNumber(family));
      writer.u32(0);
      writer.u32(0);
    });
    const dump = request({ type: RTM_GETRULE, flags: 0, payload, text: () => "rule show" });
    return this.#dump([dump], decodeRule);
  }

  /** What the kernel does with a packet to `destination`: `ip route get`. @throws NETLINK_REFUSED. */
  lookupRoute(destination: IpAddress, options: LookupOptions = {}): Promise<Route> {
    return this.#inTurn(() => {
      let route: Route | undefined;
      const lookup = routeLookup(destination, options);
      this.#exchange.request(lookup, (message) => {
        route = decodeRoute(message);
      });
      if (route === undefined) {
        throw new SwitchyardError("NETLINK_MALFORMED", `${lookup.text}: the kernel gave no route`);
      }
      return route;
    });
  }

  /**
   * Executes requests in order; the result of each, in the same order: undefined, or why it was refused.
   * Does not throw for a refusal. Gives way to the event loop between batches of 32 KB.
   */
  execute(requests: readonly Request[]): Promise<(SwitchyardError | undefined)[]> {
    return this.#inTurn(() => this.#exchange.execute(requests));
  }

  /** Operations that were not begun fail. */
  close(): void {
    this.#socket.close();
  }
}

function writeLinkHeader(writer: Writer, index: number): void {
  writer.u32(0);
  writer.u32(index);
  writer.u32(0);
  writer.u32(0);
}

function neighbourDump(family: number, index: number): Request {
  const bridge = family === AF_BRIDGE;
  const payload = build((writer) => {
    // Strict checking wants the device of a bridge dump in the header, that of others in NDA_IFINDEX.
    writeNeighbourHeader(writer, { family, index: bridge ? index : 0, state: 0, flags: 0 });
    neighbourAttributes.encode(writer, { device: bridge ? undefined : index || undefined });
  });
  const text = () => (bridge ? "fdb show" : "neigh show");
  return request({ type: RTM_GETNEIGH, flags: 0, payload, text });
}

function usesDevice(route: Route, device: number): boolean {
  return route.device === device || (route.nextHops ?? []).some((hop) => hop.device === device);
}

function isRefusal(error: unknown, errnos: readonly string[]): boolean {
  return hasCode(error, "NETLINK_REFUSED") && errnos.includes(String(error.details.errno));
}
