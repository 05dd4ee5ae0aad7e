/** `mode status` as text: changes that run, pools, nodes, ways between subnets, then what keeps anybody. */

import type { ModeStatus, NodeStanding } from "../../mode/index.ts";
import { encapsulations } from "../../model/index.ts";
import { formatBorderedTable } from "./bordered-table.ts";
import { driverNode, durationText } from "./change/text.ts";

export function renderModeStatus(status: ModeStatus, nowMs: number): string {
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
  const kept = status.nodes.flatMap(({ node, kept }) => kept.map((why) => `${node}: ${why}\n`));
  const drift = status.drift.map(
    ({ node, encapsulation, blocks }) =>
      `${node}: sends ${encapsulation} to ${blocks} blocks, which no pool and no change asks of it\n`,
  );
  return [
    ...(status.changes.length > 0 ? [changeTable(status, nowMs)] : []),
    pools,
    nodes,
    ...(status.subnets.length > 0 ? [subnetTable(status)] : []),
    `Ways between nodes, as they are sent: ${counts(status.ways) || "none yet"}\n`,
    ...(behind.length > 0 ? [`Waiting:\n${behind.join("")}`] : []),
    ...(failures.length > 0 ? [`Failures:\n${failures.join("")}`] : []),
    ...(kept.length > 0 ? [`Kept:\n${kept.join("")}`] : []),
    ...(drift.length > 0 ? [`Drift:\n${drift.join("")}`] : []),
    summaryText(status),
  ].join("\n");
}

function summaryText({ settled, changes, pools }: ModeStatus): string {
  if (settled) return "Every node has realised every pool.\n";
  if (pools.some(({ behind }) => behind.length > 0)) {
    return "Not every node has realised every pool.\n";
  }
  return `Every node has realised every pool; ${changes.length === 1 ? "a change runs" : "changes run"}.\n`;
}

function changeTable({ changes, nodes }: ModeStatus, nowMs: number): string {
  return formatBorderedTable(
    ["CHANGE", "POOL", "FROM", "TO", "PHASE", "MOVED", "DRIVEN BY", "GOES BACK"],
    changes.map(({ name, pool, from, to, phase, paused, moved, driver, goesBackAt }) => [
      name,
      pool ?? "(mesh)",
      from,
      to,
      paused ? `${phase}, paused` : phase,
      `${moved} of ${nodes.length}`,
      driver === undefined ? "nobody yet" : driverNode(driver),
      goesBackAt === undefined
        ? "-"
        : `${goesBackAt} (in ${durationText(Date.parse(goesBackAt) - nowMs)})`,
    ]),
  );
}

const mostSubnetRows = 32;

/** What pools and changes ask for; large clusters have too many pairs to read. */
function subnetTable({ subnets }: ModeStatus): string {
  const rows = subnets
    .slice(0, mostSubnetRows)
    .map(({ from, to, wanted }) => [from, to, counts(wanted)]);
  const more = subnets.length - rows.length;
  const rest = more > 0 ? `and ${more} more pairs of subnets (-o json has them)\n` : "";
  return `${formatBorderedTable(["FROM SUBNET", "TO SUBNET", "WANTED WAYS"], rows)}${rest}`;
}

function counts(destinations: NodeStanding["destinations"]): string {
  return encapsulations
    .flatMap((name) => (destinations[name] === undefined ? [] : [`${name} ${destinations[name]}`]))
    .join(", ");
}
