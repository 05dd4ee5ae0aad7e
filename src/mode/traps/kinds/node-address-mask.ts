/** CrossSubnet goes by the mask that is stored with a node's address. */

import { formatAddress, formatPrefix } from "../../../lib/index.ts";
import { addressIn, uplinkIn } from "../context.ts";
import type { Finding, TrapContext, TrapKind, TrapNode } from "../types.ts";
import { nodesListed } from "../words.ts";

const isCrossSubnet = (context: TrapContext) => context.to?.endsWith("cross-subnet") === true;

function bareNodes(context: TrapContext): TrapNode[] {
  const bare = context.family === 4 ? 32 : 128;
  return context.nodes.filter((node) => addressIn(context, node)?.length === bare);
}

function storeMask(context: TrapContext, node: TrapNode | undefined): string | undefined {
  const address = node && addressIn(context, node);
  const length = node && uplinkIn(context, node)?.prefixLength;
  if (!node || !address || length === undefined) return undefined;
  const bgp = {
    [`ipv${context.family}Address`]: formatPrefix({ address: address.address, length }),
  };
  return `switchyard patch node ${node.name} -p '${JSON.stringify({ spec: { bgp } })}'`;
}

export const nodeAddressMask: TrapKind = {
  code: "NODE_ADDRESS_WITHOUT_MASK",
  meaning:
    "A Node's address is stored as /32 (IPv6: /128), so that it is in nobody's subnet: with CrossSubnet it encapsulates to every node. Switchyard's agents take the mask of their device instead, where it has one; other agents do not.",
  remedy: "Store the address with the mask of its subnet.",
  find: (context) => {
    if (!isCrossSubnet(context)) return [];
    const bare = bareNodes(context);
    const alone = bare.filter((node) => {
      const length = uplinkIn(context, node)?.prefixLength;
      return length === undefined || length === (context.family === 4 ? 32 : 128);
    });
    const helped = bare.filter((node) => !alone.includes(node));
    const findings: Finding[] = [];
    if (alone.length > 0) {
      const names = alone.map(({ name }) => name);
      const message = `the address of ${nodesListed(names)} has no mask, and no device is known that has one: ${context.to} would encapsulate to every node from there`;
      findings.push({ severity: "refuse", message, nodes: names });
    }
    if (helped.length > 0) {
      const names = helped.map(({ name }) => name);
      const message = `the address of ${nodesListed(names)} is stored without a mask: its agent goes by that of its device, routers and other agents do not`;
      const remedy = storeMask(context, helped[0]);
      findings.push({ severity: "warn", message, nodes: names, ...(remedy && { remedy }) });
    }
    return findings;
  },
};

export const nodeAddressMaskDiffers: TrapKind = {
  code: "NODE_MASK_DIFFERS",
  meaning:
    "The mask stored with a Node's address is not that of its device. CrossSubnet goes by what is stored: it sends plainly to nodes that are behind a router, or encapsulates to neighbours.",
  remedy: "Store the mask that the device has.",
  find: (context) => {
    if (!isCrossSubnet(context)) return [];
    const wrong = context.nodes.filter((node) => {
      const stored = addressIn(context, node)?.length;
      const real = uplinkIn(context, node)?.prefixLength;
      const bare = stored === (context.family === 4 ? 32 : 128);
      return stored !== undefined && real !== undefined && !bare && stored !== real;
    });
    const [first] = wrong;
    const address = first && addressIn(context, first);
    if (!first || !address) return [];
    const names = wrong.map(({ name }) => name);
    const real = uplinkIn(context, first)?.prefixLength;
    const message = `${nodesListed(names)}: the stored mask is not that of the device (${first.name}: ${formatAddress(address.address)} is stored as /${address.length}, its device has /${real}); ${context.to} goes by what is stored`;
    const remedy = storeMask(context, first);
    return [{ severity: "refuse", message, nodes: names, ...(remedy && { remedy }) }];
  },
};
