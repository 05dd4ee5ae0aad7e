/**
 * The kernel's tables as one reading. A dump that does not come out whole is an error, here as in the
 * netlink room: an incomplete table must not be taken for an empty one.
 */

import type { Family } from "../lib/index.ts";
import type {
  FdbEntry,
  Link,
  LinkAddress,
  Neighbour,
  Route,
  RouteSocket,
} from "../netlink/index.ts";
import type { RouteKeeper } from "./route-keeper.ts";
import type { RouteTable } from "./route-table.ts";

const TABLE_MAIN = 254;

export interface KernelTables {
  readonly links: readonly Link[];
  readonly addresses: readonly LinkAddress[];
  /** Of table main. */
  readonly routes: RouteTable;
  readonly linkByName: (name: string) => Link | undefined;
  readonly linkName: (index: number) => string | undefined;
}

export async function readTables(socket: RouteSocket, keeper: RouteKeeper): Promise<KernelTables> {
  const links = await socket.links();
  const addresses = [
    ...(await socket.addresses({ family: 4 })),
    ...(await socket.addresses({ family: 6 })),
  ];
  const routes = await keeper.current();
  const byName = new Map(links.map((link) => [link.name, link]));
  const byIndex = new Map(links.map((link) => [link.index, link]));
  return {
    links,
    addresses,
    routes,
    linkByName: (name) => byName.get(name),
    linkName: (index) => byIndex.get(index)?.name,
  };
}

export async function readRoutes(socket: RouteSocket): Promise<readonly Route[]> {
  const routes = await socket.routes({ family: 4, table: TABLE_MAIN });
  const routes6 = await socket.routes({ family: 6, table: TABLE_MAIN });
  return routes6.length === 0 ? routes : routes.concat(routes6);
}

/** What was written by hand or by us; learned entries come and go by themselves. */
export async function readPermanentNeighbours(
  socket: RouteSocket,
  { index, family }: { readonly index: number; readonly family: Family },
): Promise<readonly Neighbour[]> {
  const neighbours = await socket.neighbours({ family });
  return neighbours.filter((entry) => entry.index === index && entry.state === "permanent");
}

export async function readPermanentFdb(
  socket: RouteSocket,
  index: number,
): Promise<readonly FdbEntry[]> {
  const entries = await socket.fdb({ index });
  return entries.filter((entry) => entry.state === "permanent");
}
