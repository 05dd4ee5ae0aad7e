/** A change is ordered from agents: whoever has none, or an old one, does not hear the order. */

import type { TrapKind } from "../types.ts";
import { listed, nodesListed } from "../words.ts";

export const nodeWithoutAgent: TrapKind = {
  code: "NODE_WITHOUT_AGENT",
  meaning:
    "A Node has published no NodeMode: no agent of Switchyard runs there. It cannot be ordered, proved or watched; the others never move their routes to it.",
  remedy: "Start `switchyard agent` on the node, or delete the Node if it is gone.",
  find: ({ nodes }) => {
    const names = nodes.filter(({ mode }) => !mode).map(({ name }) => name);
    if (names.length === 0) return [];
    const message = `${nodesListed(names)}: no agent has spoken; the change would wait there for ever`;
    return [{ severity: "refuse", message, nodes: names }];
  },
};

export const nodeWithoutHost: TrapKind = {
  code: "NODE_AGENT_OLD",
  meaning:
    "A node publishes its mode, but not what its host is like: its agent is of a version that knows nothing of mode changes, or has just started. Traps of its host are not seen.",
  remedy: "Update the agent of the node; one that has just started needs some seconds.",
  find: ({ nodes }) => {
    const old = nodes.filter(({ mode, host }) => mode && !host);
    if (old.length === 0) return [];
    const names = old.map(({ name }) => name);
    const versions = [...new Set(old.map(({ mode }) => mode?.agentVersion ?? "?"))];
    const message = `${nodesListed(names)} (agent ${listed(versions)}) has not published a NodeHost: it would not obey the change`;
    return [{ severity: "refuse", message, nodes: names }];
  },
};

export const agentVersionsDiffer: TrapKind = {
  code: "AGENT_VERSIONS_DIFFER",
  meaning:
    "Agents of several versions run. An update that is half done is a bad time for a change.",
  remedy:
    "Finish the update, or look into the release notes whether these versions understand each other.",
  find: ({ nodes }) => {
    const byVersion = new Map<string, string[]>();
    for (const { name, mode } of nodes) {
      if (!mode) continue;
      const names = byVersion.get(mode.agentVersion) ?? [];
      names.push(name);
      byVersion.set(mode.agentVersion, names);
    }
    if (byVersion.size < 2) return [];
    const [most, ...fewer] = [...byVersion].sort(([, a], [, b]) => b.length - a.length);
    const words = fewer.map(([version, names]) => `${version} on ${nodesListed(names)}`);
    const message = `most agents are ${most?.[0]}, but ${listed(words)}`;
    return [{ severity: "warn", message, nodes: fewer.flatMap(([, names]) => names) }];
  },
};
