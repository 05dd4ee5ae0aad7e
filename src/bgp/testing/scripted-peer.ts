/** A peer of a simulated speaker that says exactly what a test wants, and keeps what it is told. */

import { type Ipv4, ipv4, prefix } from "../../lib/index.ts";
import type { Connection } from "../session/index.ts";
import {
  AttributeTable,
  type Capability,
  decodeNotification,
  decodeRouteRefresh,
  decodeUpdate,
  describeNotification,
  encodeAnnounce,
  encodeAttributes,
  encodeOpen,
  encodeWithdraw,
  Framer,
  type GracefulRestartCapability,
  keyOfPrefix,
  MAXIMUM_EXTENDED_MESSAGE_BYTES,
  type PathAttributes,
} from "../wire/index.ts";
import { A, B, type NodeOptions, World } from "./simulated-world.ts";

export const multiprotocol: Capability = { kind: "multiprotocol", afi: 1, safi: 1 };

export function restartCapability(forwarding: boolean): GracefulRestartCapability {
  return {
    kind: "graceful-restart",
    restarted: true,
    notification: false,
    restartTimeSeconds: 60,
    families: [{ afi: 1, safi: 1, forwarding }],
  };
}

/** B's OPEN, unless it is another's. */
export function openMessage(
  parts: { as?: number; capabilities?: readonly Capability[]; hold?: number; id?: Ipv4 } = {},
): Uint8Array {
  const { as = 64512, capabilities = [multiprotocol], hold = 240 } = parts;
  const routerId = parts.id ?? ipv4(B);
  return encodeOpen({ kind: "open", as, holdTimeSeconds: hold, routerId, capabilities });
}

export function announcement(
  routes: readonly string[],
  more: Partial<PathAttributes> = {},
): Uint8Array {
  const attributes = { origin: "igp" as const, asPath: [], nextHop: ipv4(B), ...more };
  return encodeAnnounce({
    family: "ipv4-unicast",
    attributes: encodeAttributes(attributes, { fourOctetAs: false }),
    nextHop: attributes.nextHop,
    keys: routes.map((text) => keyOfPrefix(prefix(text))),
    maximumBytes: 4096,
  })[0]!;
}

export function withdrawal(routes: readonly string[]): Uint8Array {
  const keys = routes.map((text) => keyOfPrefix(prefix(text)));
  return encodeWithdraw({ family: "ipv4-unicast", keys, maximumBytes: 4096 })[0]!;
}

export interface ScriptedPeer {
  readonly connection: Connection;
  /** A word or two for each message. */
  readonly received: string[];
  isClosed(): boolean;
}

/** B, unless it is another, dials A and sends the messages. */
export async function talk(
  world: World,
  messages: readonly Uint8Array[],
  from: string = B,
): Promise<ScriptedPeer> {
  const framer = new Framer();
  framer.maximumBytes = MAXIMUM_EXTENDED_MESSAGE_BYTES;
  const received: string[] = [];
  let closed = false;
  const connection: Connection = world.network.transport(ipv4(from)).dial(
    { address: ipv4(A), port: 179 },
    {
      onConnect: () => {
        for (const message of messages) connection.write(message);
      },
      onData: (chunk) => {
        framer.push(chunk);
        for (let found = framer.next(); found; found = framer.next()) received.push(words(found));
      },
      onDrain: () => undefined,
      onClose: () => {
        closed = true;
      },
    },
  );
  await world.advance(100);
  return { connection, received, isClosed: () => closed };
}

const context = { fourOctetAs: false, peerType: "ibgp" as const, table: new AttributeTable() };

function words(message: Uint8Array): string {
  switch (message[18]) {
    case 1:
      return "OPEN";
    case 2: {
      const { endOfRib, reach, withdrawn } = decodeUpdate(message, context);
      if (endOfRib) return "End-of-RIB";
      return `UPDATE +${reach.reduce((sum, { keys }) => sum + keys.length, 0)} -${withdrawn.length}`;
    }
    case 3:
      return describeNotification(decodeNotification(message));
    case 4:
      return "KEEPALIVE";
    default:
      return `REFRESH ${decodeRouteRefresh(message).subtype}`;
  }
}

/** A alone, waiting for B. */
export async function alone(options: NodeOptions = {}): Promise<World> {
  const world = new World();
  await world.start(A, [B], {
    ...options,
    peers: { [B]: { passive: true, ...options.peers?.[B] } },
  });
  return world;
}
