/**
 * Builds the lab's network: a namespace per member, bridges and links in the router's. What is there
 * already stays as it is; everything goes over rtnetlink, veths are made straight into their namespaces.
 *
 *   sy-router:  br20 ── node1, node2 (veths to eth0 of sy-node1, …)    br30 ── node3, …
 *               outside (veth to eth0 of sy-outside)
 */

import { readFileSync, writeFileSync } from "node:fs";
import {
  familyOf,
  type IpAddress,
  type Ipv4,
  isIpv4,
  type Prefix,
  prefix,
  SwitchyardError,
} from "../lib/index.ts";
import { createNamespace, listNamespaces, namespacePath, withNamespace } from "../lib/sys/index.ts";
import {
  addressReplace,
  type Link,
  linkSet,
  openRouteSocket,
  type Request,
  type RouteSocket,
  routeReplace,
} from "../netlink/index.ts";
import { preparePorts } from "./fault/detour.ts";
import { type LabPaths, namespaceName } from "./paths.ts";
import { type RpFilter, setRpFilter } from "./rp-filter.ts";
import type { Topology } from "./topology.ts";

const RTPROT_STATIC = 4;
const uplink = "eth0";
const everywhere = { 4: prefix("0.0.0.0/0"), 6: prefix("::/0") } as const;

export interface NetworkOptions {
  readonly paths: LabPaths;
  readonly topology: Topology;
  /** Of the nodes; the machine's own default unless told. */
  readonly rpFilter?: RpFilter | undefined;
}

/** @throws SwitchyardError with the kernel's words. */
export async function buildNetwork(options: NetworkOptions): Promise<void> {
  const { paths, topology, rpFilter } = options;
  const members = ["router", "outside", ...topology.nodes, ...topology.pods];
  const existing = new Set(listNamespaces());
  for (const member of members) {
    const name = namespaceName(paths, typeof member === "string" ? member : member.name);
    if (existing.has(name)) continue;
    const namespace = createNamespace(name, { loopback: true });
    // Before there are devices, as at boot.
    if (rpFilter !== undefined && topology.nodes.some((node) => node === member)) {
      setRpFilter(namespace, rpFilter);
    }
  }
  await buildRouter(paths, topology);
  for (const host of hostsOf(topology)) await configureHost(paths, host);
}

function hostsOf({ outside, nodes, dualStack }: Topology): Host[] {
  const end6 = (subnet: { readonly prefix6: Prefix; readonly router6: IpAddress }) => {
    return { prefix: subnet.prefix6, router: subnet.router6 };
  };
  const outside6 = dualStack ? [{ address: outside.address6, ...end6(outside) }] : [];
  return [
    { name: "outside", ends: [outside, ...outside6] },
    ...nodes.map(({ name, address, address6, subnet }) => {
      const six = address6 === undefined ? [] : [{ address: address6, ...end6(subnet) }];
      return { name, ends: [{ ...subnet, address }, ...six] };
    }),
  ];
}

async function buildRouter(paths: LabPaths, topology: Topology): Promise<void> {
  const namespace = namespacePath(namespaceName(paths, "router"));
  enableForwarding(namespace, topology.dualStack);
  const socket = openRouteSocket({ namespace });
  try {
    let links = await linksByName(socket);
    for (const subnet of topology.subnets) {
      if (links.has(subnet.bridge)) continue;
      // A bridge without an address of its own takes that of its lowest port, and changes it with them.
      const mac = macOf(subnet.router);
      await socket.createLink({ kind: "bridge", name: subnet.bridge, mac, up: true });
    }
    const ports = [...topology.nodes.map(({ name }) => name), "outside"];
    for (const port of ports) {
      if (links.has(port)) continue;
      const peer = { name: uplink, namespace: namespacePath(namespaceName(paths, port)) };
      const { index } = await socket.createLink({ kind: "veth", name: port, peer });
      preparePorts(namespace, [index]);
      await socket.changeLink(index, { up: true });
    }
    links = await linksByName(socket);
    const requests: Request[] = [];
    for (const subnet of topology.subnets) {
      const bridge = linkNamed(links, subnet.bridge, "router");
      requests.push(...addressed(bridge, subnet.router, subnet.prefix));
      if (topology.dualStack) {
        requests.push(...addressed(bridge, subnet.router6, subnet.prefix6));
      }
    }
    for (const node of topology.nodes) {
      const port = linkNamed(links, node.name, "router");
      const bridge = linkNamed(links, node.subnet.bridge, "router");
      if (port.master === bridge.index && port.up) continue;
      requests.push(linkSet(port.index, { master: bridge.index, up: true }));
    }
    const outside = linkNamed(links, "outside", "router");
    const { router, prefix, router6, prefix6 } = topology.outside;
    requests.push(...addressed(outside, router, prefix));
    if (topology.dualStack) requests.push(...addressed(outside, router6, prefix6));
    await executeAll(socket, requests, "router");
  } finally {
    socket.close();
  }
}

/** An address, its subnet and the router on it. */
interface End {
  readonly address: IpAddress;
  readonly prefix: Prefix;
  readonly router: IpAddress;
}

interface Host {
  readonly name: string;
  /** One per family. */
  readonly ends: readonly End[];
}

async function configureHost(paths: LabPaths, host: Host): Promise<void> {
  const socket = openRouteSocket({ namespace: namespacePath(namespaceName(paths, host.name)) });
  try {
    const link = linkNamed(await linksByName(socket), uplink, host.name);
    const requests = host.ends.flatMap(({ address, prefix, router }) => [
      ...addressed(link, address, prefix),
      routeReplace({
        type: "unicast",
        destination: everywhere[familyOf(router)],
        gateway: router,
        device: link.index,
        protocol: RTPROT_STATIC,
      }),
    ]);
    await executeAll(socket, requests, host.name);
  } finally {
    socket.close();
  }
}

function addressed(link: Link, address: IpAddress, subnet: Prefix): Request[] {
  const { index } = link;
  const prefix = { address, length: subnet.length };
  const up = link.up ? [] : [linkSet(index, { up: true })];
  // The lab gives every address once: nobody needs to look for a duplicate.
  const nodad = isIpv4(address) ? {} : { nodad: true };
  return [...up, addressReplace({ index, prefix, scope: "global", ...nodad })];
}

async function linksByName(socket: RouteSocket): Promise<Map<string, Link>> {
  return new Map((await socket.links()).map((link) => [link.name, link]));
}

function linkNamed(links: ReadonlyMap<string, Link>, name: string, member: string): Link {
  const link = links.get(name);
  if (link !== undefined) return link;
  throw new SwitchyardError(
    "LAB_FAILED",
    `${member} has lost its link ${name}: \`lab down\`, then \`lab up\` makes it anew`,
  );
}

async function executeAll(
  socket: RouteSocket,
  requests: readonly Request[],
  member: string,
): Promise<void> {
  for (const error of await socket.execute(requests)) {
    if (error === undefined) continue;
    throw new SwitchyardError("LAB_FAILED", `${member}: ${error.message}`, { cause: error });
  }
}

/** `02:00:` and the address. */
function macOf(address: Ipv4): string {
  const bytes = [address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255];
  return ["02", "00", ...bytes.map((byte) => byte.toString(16).padStart(2, "0"))].join(":");
}

/** /proc/sys/net is that of the calling thread's namespace. */
function enableForwarding(namespace: string, dualStack: boolean): void {
  const files = ["ipv4/ip_forward", ...(dualStack ? ["ipv6/conf/all/forwarding"] : [])];
  withNamespace(namespace, () => {
    for (const name of files) {
      const file = `/proc/sys/net/${name}`;
      if (readFileSync(file, "utf8").trim() !== "1") writeFileSync(file, "1");
    }
  });
}

/** Names of the namespaces of this lab that exist, known to its record or not. */
export function labNamespaces(paths: LabPaths): string[] {
  return listNamespaces().filter((name) => name.startsWith(paths.namespacePrefix));
}
