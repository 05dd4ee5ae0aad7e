/** `mode status` as text: pools, then nodes, then what keeps anybody. */

import type { ModeStatus, NodeStanding } from "../../mode/index.ts";
import { encapsulations } from "../../model/index.ts";
import { formatBorderedTable } from "./bordered-table.ts";

export function renderModeStatus(status: ModeStatus): string {
  const total = status.nodes.length;
  const pools = formatBorderedTable(
    ["POOL", "CIDR", "MODE", "REALISED BY"],
    status.pools.map((pool) => [
      pool.name,
      pool.cidr,
      pool.mode.replace(/(Always|CrossSubnet)$/, " $1"),
      `${pool.realisedBy} of ${total}`,
    ]),
  );
  const nodes = formatBorderedTable(
    ["NODE", "ACCEPTS", "SENDS", "REMOTE BLOCKS", "FAILURES"],
    status.nodes.map((node) => [
      node.node,
      node.accepts.join(",") || "-",
      node.sends.join(",") || "-",
      counts(node.destinations) || "-",
      String(node.failures.length),
    ]),
  );
  const behind = status.pools.flatMap((pool) =>
    pool.behind.flatMap(({ node, waiting }) =>
      waiting.map((why) => `${pool.name}: ${node}: ${why}\n`),
    ),
  );
  const failures = status.nodes.flatMap(({ node, failures }) =>
    failures.map((failure) => `${node}: ${failure}\n`),
  );
  return [
    pools,
    nodes,
    `Ways between nodes: ${counts(status.ways) || "none yet"}\n`,
    ...(behind.length > 0 ? [`Waiting:\n${behind.join("")}`] : []),
    ...(failures.length > 0 ? [`Failures:\n${failures.join("")}`] : []),
    status.settled
      ? "Every node has realised every pool.\n"
      : "Not every node has realised every pool.\n",
  ].join("\n");
}

function counts(destinations: NodeStanding["destinations"]): string {
  return encapsulations
    .flatMap((name) => (destinations[name] === undefined ? [] : [`${name} ${destinations[name]}`]))
    .join(", ");
}
