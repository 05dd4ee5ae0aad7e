/** `mode plan`: what a change of a pool's mode would do to every node, and what would go wrong. Changes nothing. */

import type { Datastore } from "../../datastore/index.ts";
import { findTraps, type TrapInput } from "../../mode/index.ts";
import { type ChangeFlags, changeSpec, requireTextOrJson } from "../change/options.ts";
import { withDatastore } from "../connect.ts";
import type { CtlContext } from "../context.ts";
import { exitStatuses } from "../output/change/outcome.ts";
import { renderModePlan } from "../output/mode-plan.ts";

/** As `mode change` ends when it is refused. */
const REFUSED = exitStatuses.refused;

export async function modePlanCommand(
  args: readonly string[],
  options: ChangeFlags,
  context: CtlContext,
): Promise<void> {
  const output = requireTextOrJson(options.output);
  const spec = changeSpec(args[0] ?? "", options, context.env);
  const input = await withDatastore({ options, context }, (store) => readCluster(store));
  const traps = findTraps({ ...input, spec });
  const refused = traps.some(
    ({ code, severity }) => severity === "refuse" && !spec.accepted?.includes(code),
  );
  const document = { spec, refused, traps };
  context.stdout(
    output === "json" ? `${JSON.stringify(document, null, 2)}\n` : renderModePlan(document),
  );
  if (refused) context.answer?.(REFUSED);
}

/** What traps are looked for in. */
export async function readCluster(store: Datastore): Promise<Omit<TrapInput, "spec">> {
  const [nodes, pools, affinities, blocks, nodeModes, modeChanges, nodeHosts] = await Promise.all([
    store.list("Node"),
    store.list("IPPool"),
    store.list("BlockAffinity"),
    store.list("IPAMBlock"),
    store.list("NodeMode"),
    store.list("ModeChange"),
    store.list("NodeHost"),
  ]);
  const [bgpConfigurations, bgpPeers, felixConfigurations] = await Promise.all([
    store.list("BGPConfiguration"),
    store.list("BGPPeer"),
    store.list("FelixConfiguration"),
  ]);
  return {
    view: {
      nodes: nodes.items,
      pools: pools.items,
      affinities: affinities.items,
      nodeModes: nodeModes.items,
      modeChanges: modeChanges.items,
      bgpConfigurations: bgpConfigurations.items,
      bgpPeers: bgpPeers.items,
      felixConfigurations: felixConfigurations.items,
    },
    blocks: blocks.items,
    nodeHosts: nodeHosts.items,
  };
}
