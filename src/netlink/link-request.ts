/** RTM_NEWLINK, RTM_SETLINK and RTM_DELLINK written: links made, changed and deleted. */

import { closeFd, openPath } from "../lib/sys/index.ts";
import {
  IFF_NOARP,
  IFF_UP,
  NLM_F_CREATE,
  NLM_F_EXCL,
  RTM_DELLINK,
  RTM_NEWLINK,
  RTM_SETLINK,
} from "./constants.ts";
import { linkAttributes, linkLayout, vethData } from "./link-attributes.ts";
import { bridgePortData, bridgePortValues } from "./link-bridge.ts";
import { encodeKind } from "./link-kinds.ts";
import { deviceText, type LinkName, request } from "./request.ts";
import type { LinkChanges, LinkKindAttributes, LinkSpec, Request } from "./types.ts";
import { build, Writer } from "./writer.ts";

interface Header {
  readonly index?: number;
  readonly flags?: number;
  /** Which of the flags are meant. */
  readonly change?: number;
}

function writeHeader(writer: Writer, { index = 0, flags = 0, change = 0 }: Header): void {
  writer.u32(0); // AF_UNSPEC, no device type
  writer.u32(index);
  writer.u32(flags);
  writer.u32(change);
}

/** Calls `use` with a request whose namespaces are held open meanwhile. */
export type WithRequest = <T>(use: (request: Request) => T) => T;

/** `ip link add`. The namespace of a veth's peer is opened while the request is in use. */
export function linkAdd(spec: LinkSpec): WithRequest {
  return (use) =>
    withNamespaceFd(spec.kind === "veth" ? spec.peer.namespace : undefined, (fd) => {
      const data = linkData(spec, fd);
      const payload = build((writer) => {
        writeHeader(writer, upFlags(spec.up));
        linkAttributes.encode(writer, {
          mac: spec.mac,
          name: spec.name,
          mtu: spec.mtu,
          link: spec.kind === "macvlan" ? spec.link : undefined,
          txQueueLength: spec.txQueueLength,
          info: { kind: spec.kind, data },
          alias: spec.alias,
          txQueues: spec.txQueues,
          rxQueues: spec.rxQueues,
        });
      });
      const peer = spec.kind === "veth" ? ` peer name ${spec.peer.name}` : "";
      return use(
        request({
          type: RTM_NEWLINK,
          flags: NLM_F_CREATE | NLM_F_EXCL,
          payload,
          layout: linkLayout,
          text: () => `link add ${spec.name} type ${spec.kind}${peer}`,
        }),
      );
    });
}

function upFlags(up: boolean | undefined): Header {
  return up === undefined ? {} : { flags: up ? IFF_UP : 0, change: IFF_UP };
}

/** IFLA_INFO_DATA. Written by own writers, since the message around it uses the shared one. */
function linkData(spec: LinkSpec, peerNamespace: number | undefined): Uint8Array | undefined {
  if (spec.kind !== "veth") return encodeKind(spec.kind, spec as LinkKindAttributes);
  const writer = new Writer();
  // The kernel cannot set the peer up here: it has no other end yet (ENOTCONN).
  writeHeader(writer, {});
  const { name, mac, mtu } = spec.peer;
  linkAttributes.encode(writer, { mac, name, mtu, namespaceFd: peerNamespace });
  const peer = writer.take();
  vethData.encode(writer, { peer });
  return writer.take();
}

/** IFLA_LINKINFO of a change: that of the link's own kind, or of its being a port. */
function changedInfo(changes: LinkChanges) {
  const { vxlan, bridge, macvlan, bridgePort } = changes;
  const kind = vxlan ? "vxlan" : bridge ? "bridge" : macvlan ? "macvlan" : undefined;
  if (kind === undefined && bridgePort === undefined) return undefined;
  const writer = new Writer();
  if (bridgePort) bridgePortData.encode(writer, bridgePortValues(bridgePort));
  const portData = bridgePort && writer.take();
  const data = kind && encodeKind(kind, changes as LinkKindAttributes);
  return { kind, data, portKind: bridgePort && "bridge", portData };
}

/** `ip link set`, with its namespace held open while the request is in use. */
export function linkChange(index: number, changes: LinkChanges, linkName?: LinkName): WithRequest {
  return (use) =>
    withNamespaceFd(changes.namespace, (fd) => {
      const up = changes.up === undefined ? 0 : IFF_UP;
      const arp = changes.arp === undefined ? 0 : IFF_NOARP;
      const flags = (changes.up ? IFF_UP : 0) | (changes.arp === false ? IFF_NOARP : 0);
      const info = changedInfo(changes);
      const payload = build((writer) => {
        writeHeader(writer, { index, flags, change: up | arp });
        const { mac, name, mtu, master, txQueueLength, alias, group } = changes;
        const same = { mac, name, mtu, master, txQueueLength, alias, group };
        linkAttributes.encode(writer, { ...same, info, namespaceFd: fd });
      });
      const text = () => `link set ${deviceText(index, linkName)}${changesText(changes, linkName)}`;
      // RTM_SETLINK does not look at IFLA_LINKINFO; RTM_NEWLINK of a link that exists changes it.
      const type = info === undefined ? RTM_SETLINK : RTM_NEWLINK;
      return use(request({ type, flags: 0, payload, layout: linkLayout, text }));
    });
}

/** `ip link set NAME up`, for a link whose index is not known. */
export function linkUp(name: string): Request {
  const payload = build((writer) => {
    writeHeader(writer, upFlags(true));
    linkAttributes.encode(writer, { name });
  });
  const text = () => `link set ${name} up`;
  return request({ type: RTM_SETLINK, flags: 0, payload, layout: linkLayout, text });
}

/** `ip link set` as a request for a batch. */
export function linkSet(
  index: number,
  changes: Omit<LinkChanges, "namespace">,
  linkName?: LinkName,
): Request {
  return linkChange(index, changes, linkName)((made) => made);
}

/** `ip link delete`. */
export function linkDelete(index: number, linkName?: LinkName): Request {
  const payload = build((writer) => writeHeader(writer, { index }));
  const text = () => `link delete ${deviceText(index, linkName)}`;
  return request({ type: RTM_DELLINK, flags: 0, payload, layout: linkLayout, text });
}

function changesText(changes: LinkChanges, linkName: LinkName | undefined): string {
  const { name, up, mtu, mac, arp, master, namespace, alias, txQueueLength, group } = changes;
  let text = "";
  if (name !== undefined) text += ` name ${name}`;
  if (mac !== undefined) text += ` address ${mac}`;
  if (mtu !== undefined) text += ` mtu ${mtu}`;
  if (txQueueLength !== undefined) text += ` txqueuelen ${txQueueLength}`;
  if (alias !== undefined) text += ` alias ${alias}`;
  if (group !== undefined) text += ` group ${group}`;
  if (arp !== undefined) text += ` arp ${arp ? "on" : "off"}`;
  if (master === 0) text += " nomaster";
  else if (master !== undefined) text += ` master ${deviceText(master, linkName)}`;
  if (namespace !== undefined) text += ` netns ${namespace}`;
  if (up !== undefined) text += up ? " up" : " down";
  if (changes.vxlan) text += " type vxlan";
  if (changes.bridge) text += " type bridge";
  if (changes.macvlan) text += ` type macvlan mode ${changes.macvlan.mode}`;
  if (changes.bridgePort) text += " type bridge_slave";
  return text;
}

function withNamespaceFd<T>(path: string | undefined, use: (fd: number | undefined) => T): T {
  return path === undefined ? use(undefined) : withFd(path, use);
}

/** Runs `use` with the file at `path` open. */
export function withFd<T>(path: string, use: (fd: number) => T): T {
  const fd = openPath(path);
  try {
    return use(fd);
  } finally {
    closeFd(fd);
  }
}
