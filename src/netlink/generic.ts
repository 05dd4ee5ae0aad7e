/** NETLINK_GENERIC: families with numbers the kernel gives out at run time (linux/genetlink.h). */

import { SwitchyardError } from "../lib/index.ts";
import { ANY_TYPE, attributeTable, nested, nestedList } from "./attribute.ts";
import { text, u16, u32 } from "./codecs.ts";
import { Exchange } from "./exchange.ts";
import { headerEnd } from "./header.ts";
import { isRefusal } from "./kernel-error.ts";
import type { Message } from "./message.ts";
import { request } from "./request.ts";
import { NetlinkSocket } from "./socket.ts";
import type { Request } from "./types.ts";
import { build, type Writer } from "./writer.ts";

/** struct genlmsghdr. */
export const GENLMSGHDR_BYTES = 4;
const GENL_ID_CTRL = 16;
const CTRL_CMD_GETFAMILY = 3;
const RECEIVE_BUFFER_BYTES = 1024 * 1024;

const groupTable = attributeTable("CTRL_ATTR_MCAST_GRP", {
  name: [1, "CTRL_ATTR_MCAST_GRP_NAME", text],
  id: [2, "CTRL_ATTR_MCAST_GRP_ID", u32],
});

const controlTable = attributeTable("CTRL_ATTR", {
  id: [1, "CTRL_ATTR_FAMILY_ID", u16],
  name: [2, "CTRL_ATTR_FAMILY_NAME", text],
  version: [3, "CTRL_ATTR_VERSION", u32],
  groups: [
    7,
    "CTRL_ATTR_MCAST_GROUPS",
    nestedList("CTRL_ATTR_MCAST_GROUPS", [ANY_TYPE, "CTRL_ATTR_MCAST_GRP", nested(groupTable)]),
  ],
});

export interface GenericFamily {
  readonly name: string;
  /** nlmsg_type of its messages, until the kernel is booted anew. */
  readonly id: number;
  readonly version: number;
  /** Multicast groups by name. */
  readonly groups: ReadonlyMap<string, number>;
}

/** @throws NETLINK_MALFORMED. */
export function decodeFamily(message: Message): GenericFamily {
  const from = headerEnd(message, "struct genlmsghdr", GENLMSGHDR_BYTES);
  const {
    name = "",
    id = 0,
    version = 0,
    groups = [],
  } = controlTable.decode(message.view, from, message.end);
  return {
    name,
    id,
    version,
    groups: new Map(groups.map((group) => [group.name ?? "", group.id ?? 0])),
  };
}

export function writeGenericHeader(writer: Writer, command: number, version: number): void {
  writer.u8(command);
  writer.u8(version);
  writer.u16(0);
}

function familyRequest(name: string): Request {
  const payload = build((writer) => {
    writeGenericHeader(writer, CTRL_CMD_GETFAMILY, 1);
    controlTable.encode(writer, { name });
  });
  const layout = { headerBytes: GENLMSGHDR_BYTES, table: controlTable };
  const text = () => `generic netlink family ${name}`;
  return request({ type: GENL_ID_CTRL, flags: 0, payload, layout, text });
}

export interface GenericSocketOptions {
  /** Path of a network namespace; the process's own unless told. */
  readonly namespace?: string;
}

/** Requests of any generic netlink family, one after the other. */
export class GenericSocket {
  readonly #socket: NetlinkSocket;
  readonly #exchange: Exchange;
  readonly #families = new Map<string, GenericFamily>();

  constructor(options: GenericSocketOptions = {}) {
    this.#socket = new NetlinkSocket({
      ...options,
      protocol: "generic",
      receiveBufferBytes: RECEIVE_BUFFER_BYTES,
    });
    this.#exchange = new Exchange(this.#socket);
  }

  /** @throws RESOURCE_NOT_FOUND if the kernel has no such family. */
  family(name: string): GenericFamily {
    const known = this.#families.get(name);
    if (known !== undefined) return known;
    let found: GenericFamily | undefined;
    try {
      this.#exchange.request(familyRequest(name), (message) => {
        found = decodeFamily(message);
      });
    } catch (error) {
      if (!isRefusal(error, ["ENOENT"])) throw error;
    }
    if (found === undefined) {
      throw new SwitchyardError(
        "RESOURCE_NOT_FOUND",
        `this kernel has no generic netlink family ${name}`,
      );
    }
    this.#families.set(name, found);
    return found;
  }

  /** One request; `visit` sees its answers. @throws NETLINK_REFUSED. */
  request(request: Request, visit?: (message: Message) => void): void {
    this.#exchange.request(request, visit);
  }

  close(): void {
    this.#socket.close();
  }
}
