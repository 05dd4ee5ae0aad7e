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
  RTM_GETADDR,
  RTM_GETLINK,
  RTM_GETNEIGH,
  RTM_GETRULE,
  RTM_NEWNEIGH,
} from "./constants.ts";
import { Exchange, type Refusal, yieldToEventLoop } from "./exchange.ts";
import { decodeFdbEntry } from "./fdb.ts";
import { isRefusal } from "./kernel-error.ts";
import { decodeLink, decodeStatistics } from "./link.ts";
import { linkAttributes } from "./link-attributes.ts";
import {
  linkAdd,
  linkChange,
  linkDelete,
  linkUp,
  type WithRequest,
  withFd,
} from "./link-request.ts";
import type { Message } from "./message.ts";
import { decodeNeighbour, neighbourAttributes, writeNeighbourHeader } from "./neighbour.ts";
import { decodeNetnsId, netnsIdDump, netnsIdGet, netnsIdNew } from "./netns-id.ts";
import { decodeNextHopObject, nextHopDump } from "./next-hop-object.ts";
import { request } from "./request.ts";
import { decodeRoute } from "./route.ts";
import { type LookupOptions, routeDecoder, routeDumps, routeLookup } from "./route-query.ts";
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
  NextHopObject,
  Request,
  Route,
  RouteFilter,
  Rule,
} from "./types.ts";
import { build, type Writer } from "./writer.ts";

/** "FIB table does not exist": nothing was ever put into it. */
const NO_TABLE = ["ENOENT"];
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
  const socket = openSocket(namespace);
  return new RouteSocket(socket, { dumpRetries, namespace });
}

function openSocket(namespace: string | undefined): NetlinkSocket {
  const receiveBufferBytes = RECEIVE_BUFFER_BYTES;
  return new NetlinkSocket({ namespace, receiveBufferBytes });
}

export class RouteSocket {
  readonly #socket: NetlinkSocket;
  readonly #exchange: Exchange;
  readonly #dumpRetries: number;
  readonly #namespace: string | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    socket: NetlinkSocket,
    options: { readonly dumpRetries: number; readonly namespace: string | undefined },
  ) {
    const { dumpRetries, namespace } = options;
    this.#namespace = namespace;
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
    return this.#dump(routeDumps(filter), routeDecoder(filter), { empty: NO_TABLE });
  }

  /**
   * As {@link routes}, in slices of some thousand routes, a few milliseconds' work each; the event loop
   * runs between them. Reads by a socket of its own, so that the loop's body may use this one; leaving
   * the loop early ends the reading. Is not begun anew when interrupted.
   * @throws NETLINK_DUMP_INTERRUPTED behind the last slice.
   */
  async *routeSlices(filter: RouteFilter = {}): AsyncGenerator<readonly Route[], void, undefined> {
    const socket = openSocket(this.#namespace);
    try {
      const exchange = new Exchange(socket);
      const decode = routeDecoder(filter);
      for (const dump of routeDumps(filter)) {
        let slice: Route[] = [];
        const step = exchange.startDump(dump, (message) => {
          const route = decode(message);
          if (route !== undefined) slice.push(route);
        });
        for (let done = false; !done; ) {
          try {
            done = step();
          } catch (error) {
            if (!isRefusal(error, NO_TABLE)) throw error;
            done = true;
          }
          if (slice.length > 0) yield slice;
          slice = [];
          if (!done) await yieldToEventLoop();
        }
      }
    } finally {
      socket.close();
    }
  }

  /** Nexthop objects. */
  nextHops(): Promise<NextHopObject[]> {
    return this.#dump([nextHopDump()], decodeNextHopObject);
  }

  /** The number by which this namespace knows the one at `path`; undefined if it has none. */
  netnsId(path: string): Promise<number | undefined> {
    return this.#inTurn(() =>
      withFd(path, (fd) => {
        let id = -1;
        this.#exchange.request(netnsIdGet(fd, path), (message) => {
          id = decodeNetnsId(message);
        });
        return id === -1 ? undefined : id;
      }),
    );
  }

  /** Gives the namespace at `path` a number, the kernel's choice unless told. @throws NETLINK_REFUSED. */
  setNetnsId(path: string, id = -1): Promise<void> {
    return this.#inTurn(() =>
      withFd(path, (fd) => this.#exchange.request(netnsIdNew(fd, id, path))),
    );
  }

  /** All numbers this namespace has given to others. */
  netnsIds(): Promise<number[]> {
    return this.#dump([netnsIdDump()], decodeNetnsId);
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
   * Does not throw for a refusal. Works in batches of 32 KB, off the event loop where they are not small.
   */
  execute(requests: readonly Request[]): Promise<(SwitchyardError | undefined)[]> {
    return this.#inTurn(() => this.#exchange.execute(requests));
  }

  /**
   * As {@link execute} of any number of requests, made one by one as they are sent; tells only of those
   * that were refused. Returns how many there were. Other operations wait until all are done.
   */
  executeEach(requests: Iterable<Request>, refused: (refusal: Refusal) => void): Promise<number> {
    return this.#inTurn(() => this.#exchange.executeEach(requests, refused));
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
