/** `mode plan --mesh` as text: sessions that come and go, node by node, then what stands in the way. */

import type { MeshPreview } from "../../mode/index.ts";
import type { ModeChangeSpec, Trap } from "../../model/index.ts";
import { nameList, plainText } from "./change/text.ts";
import { plural, wayText } from "./mode-plan.ts";

export interface MeshPlanDocument {
  readonly spec: ModeChangeSpec;
  readonly refused: boolean;
  readonly traps: readonly Trap[];
  readonly preview: MeshPreview;
}

/** In a large cluster every node is like the next. */
const MOST_NODES = 16;

export function renderMeshPlan(document: MeshPlanDocument): string {
  const { spec, preview } = document;
  const sum = (of: (node: MeshPreview["nodes"][number]) => number) =>
    preview.nodes.reduce((total, node) => total + of(node), 0);
  const total = [
    `${plural(
      sum(({ goes }) => goes),
      "end",
    )} of sessions of the mesh would close`,
    `${plural(
      sum(({ comes }) => comes),
      "end",
    )} would open`,
    `${plural(
      sum(({ outside }) => outside.length),
      "end",
    )} of other sessions as they are`,
  ];
  const more = preview.nodes.length - MOST_NODES;
  const lines = [
    ...total,
    ...preview.nodes.slice(0, MOST_NODES).map(nodeLine),
    ...(more > 0 ? [`and ${plural(more, "node")} more: -o json has them`] : []),
    ...preview.unforeseen.map(({ node, why }) => `${node} cannot be foreseen: ${why}`),
  ];
  return [
    `Change of the node-to-node mesh to ${spec.mesh}\n${lines.map((line) => `  ${line}\n`).join("")}`,
    `Proof: none; each node says whether what is to carry its routes does\n${wayText(document)}`,
  ].join("\n");
}

function nodeLine({ node, outside, comes, goes }: MeshPreview["nodes"][number]): string {
  const others = outside.map(({ address, state }) => `${address} ${plainText(state)}`);
  const stay = others.length === 0 ? "no other sessions" : `stay: ${nameList(others, 4)}`;
  return `${node}: -${goes} +${comes}; ${stay}`;
}
