/**
 * Changes the MTU of pods that run: of both ends of their veths, and of what they send. What a device takes
 * and what its pod sends are one number to the kernel, and in a change of modes they must differ for
 * some time: a pod must send less before others do, while it still takes what they send. Routes of our own
 * do that, each over one half of what a route of the pod's covers, and with the smaller MTU. They go
 * when the device says the same. The pod's own routes are never touched.
 */

import { errorText, type Prefix } from "../lib/index.ts";
import {
  type Link,
  linkSet,
  openRouteSocket,
  type Route,
  type RouteSocket,
  routeDelete,
  routeReplace,
} from "../netlink/index.ts";
import type { PodMtu, PodMtuPlan } from "../plan/index.ts";
import { halves } from "./halves.ts";
import type { KernelTables } from "./kernel-tables.ts";
import type { Ledger } from "./ledger.ts";
import type { PodNamespaces } from "./pod-namespaces.ts";
import { HOST_MAC } from "./workload.ts";

/** RTPROT_* of the routes that limit what a pod sends; nothing else in a pod uses it. */
const LIMIT_PROTOCOL = 80;

export interface PodMtuDriverOptions {
  /** In the node's namespace. */
  readonly socket: Pick<RouteSocket, "apply">;
  readonly namespaces: Pick<PodNamespaces, "find">;
}

interface PodMtuRun {
  readonly tables: Pick<KernelTables, "linkByName">;
  readonly ledger: Ledger;
}

/** Keeps what was done, so that pods at rest are not entered. */
export class PodMtuDriver {
  readonly #options: PodMtuDriverOptions;
  readonly #done = new Map<string, string>();

  constructor(options: PodMtuDriverOptions) {
    this.#options = options;
  }

  async apply(plan: PodMtuPlan, { tables, ledger }: PodMtuRun): Promise<void> {
    const present = new Set(plan.devices);
    for (const device of this.#done.keys()) if (!present.has(device)) this.#done.delete(device);
    for (const device of plan.devices) {
      const link = tables.linkByName(device);
      if (!isPodLink(link) || !plan.known.includes(link.mtu)) continue;
      const done = `${link.index} ${plan.send} ${plan.accept}`;
      if (this.#done.get(device) === done && link.mtu === plan.accept) continue;
      this.#done.delete(device);
      const object = `MTU of pod ${device}`;
      const good = await ledger.attempt(object, () => changePod(link, plan, this.#options));
      if (good) this.#done.set(device, done);
    }
  }
}

/** MTU of the host ends of pods' veths, by name. */
export function podMtus(links: readonly Link[]): Map<string, number> {
  return new Map(links.filter(isPodLink).map(({ name, mtu }) => [name, mtu]));
}

/** A veth as a CNI plugin of this kind makes it, with its other end in a namespace of its own. */
function isPodLink(link: Link | undefined): link is Link & { linkNetnsId: number; link: number } {
  return (
    link?.kind === "veth" &&
    link.mac === HOST_MAC &&
    link.linkNetnsId !== undefined &&
    link.link !== undefined
  );
}

/** Number of changes. @throws what was attempted and what the kernel said. */
async function changePod(
  host: Link & { linkNetnsId: number; link: number },
  { send, accept }: Pick<PodMtu, "send" | "accept">,
  { socket, namespaces }: PodMtuDriverOptions,
): Promise<number> {
  const path = await namespaces.find(host.linkNetnsId);
  if (path === undefined) {
    throw new Error(`change it to ${accept}: the pod's network namespace was not found`);
  }
  const pod = openRouteSocket({ namespace: path });
  try {
    const link = await pod.link(host.link);
    if (link?.kind !== "veth" || link.link !== host.index) {
      throw new Error(`change it to ${accept}: ${path} does not hold the other end`);
    }
    let changes = 0;
    if (send < accept) changes += await limit(pod, link, send);
    for (const [end, device] of [
      [pod, link],
      [socket, host],
    ] as const) {
      if (device.mtu === accept) continue;
      await end.apply(linkSet(device.index, { mtu: accept }, () => device.name));
      changes++;
    }
    if (send >= accept) changes += await unlimit(pod, link);
    return changes;
  } catch (error) {
    throw new Error(`change it to ${accept}, sending up to ${send}: ${errorText(error)}`, {
      cause: error,
    });
  } finally {
    pod.close();
  }
}

/** Our routes as they should be: new ones first, then those that nothing asks for. */
async function limit(pod: RouteSocket, link: Link, send: number): Promise<number> {
  const routes = await pod.routes({ device: link.index });
  const wanted = routes.filter(isThrough).flatMap((route) => limited(route, send));
  const held = routes.filter(isLimit);
  const name = () => link.name;
  let changes = 0;
  for (const route of wanted) {
    if (held.some((other) => sameLimit(other, route))) continue;
    await pod.apply(routeReplace(route, name));
    changes++;
  }
  const keys = new Set(wanted.map(keyOf));
  return (
    changes +
    (await remove(
      pod,
      held.filter((route) => !keys.has(keyOf(route))),
      name,
    ))
  );
}

async function unlimit(pod: RouteSocket, link: Link): Promise<number> {
  const held = (await pod.routes({ device: link.index })).filter(isLimit);
  return await remove(pod, held, () => link.name);
}

async function remove(
  pod: RouteSocket,
  routes: readonly Route[],
  name: (index: number) => string,
): Promise<number> {
  for (const route of routes) await pod.apply(routeDelete(route, name));
  return routes.length;
}

const isLimit = (route: Route) => route.protocol === LIMIT_PROTOCOL;

/** A route by which the pod reaches others: what is on the link itself is the host alone. */
const isThrough = (route: Route) =>
  route.type === "unicast" && route.gateway !== undefined && !isLimit(route);

/** The two halves of a route; what its owner limits further stays so. */
function limited(route: Route, send: number): Route[] {
  const { type, gateway, device, onlink, source, metric, mtu = send } = route;
  return halves(route.destination).map((destination: Prefix) => ({
    type,
    destination,
    protocol: LIMIT_PROTOCOL,
    mtu: Math.min(mtu, send),
    ...(gateway !== undefined && { gateway }),
    ...(device !== undefined && { device }),
    ...(onlink !== undefined && { onlink }),
    ...(source !== undefined && { source }),
    ...(metric !== undefined && { metric }),
  }));
}

const keyOf = ({ destination, metric = 0 }: Route) =>
  `${destination.address}/${destination.length} ${metric}`;

const sameLimit = (a: Route, b: Route) =>
  keyOf(a) === keyOf(b) && a.mtu === b.mtu && a.gateway === b.gateway;
