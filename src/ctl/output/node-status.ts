/** `node status` as text: calicoctl's part first, to the letter, then what only our agent knows. */

import type { AgentStatus } from "../../agent/index.ts";
import { endText } from "./bgp-history.ts";
import { formatBorderedTable } from "./bordered-table.ts";
import { sinceText } from "./since.ts";

type Peer = AgentStatus["peers"][number];

export function renderNodeStatus(status: AgentStatus, nowMs: number): string {
  const ipv4 = status.peers.filter((peer) => !peer.address.includes(":"));
  const ipv6 = status.peers.filter((peer) => peer.address.includes(":"));
  return [
    "Calico process is running.\n",
    `IPv4 BGP status\n${peerTable(ipv4, { family: "IPv4", nowMs })}`,
    `IPv6 BGP status\n${peerTable(ipv6, { family: "IPv6", nowMs })}`,
    agentPart(status, nowMs),
    historyPart(status.peers, nowMs),
    `IP pools\n${poolTable(status)}`,
    failurePart(status),
  ].join("\n");
}

function peerTable(
  peers: readonly Peer[],
  options: { readonly family: string; readonly nowMs: number },
): string {
  if (peers.length === 0) return `No ${options.family} peers found.\n`;
  return formatBorderedTable(
    ["PEER ADDRESS", "PEER TYPE", "STATE", "SINCE", "INFO"],
    peers.map((peer) => [
      peer.address,
      peer.type,
      peer.state,
      sinceText(peer.since, options.nowMs),
      peer.info,
    ]),
  );
}

const backends: Readonly<Record<AgentStatus["ipipBackend"], string>> = {
  kernel: "kernel module on tunl0",
  bpf: "BPF on ifb tunl0",
  none: "not in use",
};

function agentPart(status: AgentStatus, nowMs: number): string {
  const { datastore, routes } = status;
  const connection = datastore.connected ? "connected" : "not reachable (forwarding continues)";
  const lines = [
    ["Node", status.node],
    [
      "Version",
      `${status.version} (pid ${status.pid}, since ${sinceText(status.startedAt, nowMs)})`,
    ],
    ["Ready", status.ready ? "yes" : `no: ${status.notReady}`],
    ["Datastore", `${connection} since ${sinceText(datastore.since, nowMs)}`],
    ["IP-in-IP", backends[status.ipipBackend]],
    ["Accepts", listText(status.accepts)],
    ["Sends", listText(status.sends)],
    ["MTU", status.mtu ? `host ${status.mtu.host}, pods ${status.mtu.pods}` : "-"],
    ["Routes", `${routes.programmed} of ${routes.wanted} programmed`],
  ];
  return `Switchyard agent\n${lines.map(([name, value]) => `${name}: ${value}\n`).join("")}`;
}

/** What is shown of the history of all peers together; `-o json` and `bgp peers` have each peer's own. */
const SHOWN_ENDS = 10;

function historyPart(peers: readonly Peer[], nowMs: number): string {
  const ends = peers
    .flatMap(({ address, history }) => history.map((end) => ({ address, end })))
    .sort((a, b) => (a.end.at < b.end.at ? 1 : -1))
    .slice(0, SHOWN_ENDS);
  if (ends.length === 0) return "BGP sessions that ended: none\n";
  const lines = ends.map(({ address, end }) => `  ${endText(end, { address, nowMs })}\n`);
  return `BGP sessions that ended\n${lines.join("")}`;
}

function listText(values: readonly string[]): string {
  return values.length === 0 ? "-" : values.join(", ");
}

/** `IPIPCrossSubnet` as people say it. */
function modeText(mode: string): string {
  return mode.replace(/^(IPIP|VXLAN)(?=[A-Z])/, "$1 ");
}

function poolTable(status: AgentStatus): string {
  const pools = Object.entries(status.pools).sort(([a], [b]) => (a < b ? -1 : 1));
  if (pools.length === 0) return "No IP pools found.\n";
  const rows = pools.flatMap(([name, pool]) => {
    const state = pool.realised ? "realised" : "waiting";
    const [first = "", ...more] = pool.waiting;
    return [
      [name, modeText(pool.mode), state, first],
      ...more.map((reason) => ["", "", "", reason]),
    ];
  });
  return formatBorderedTable(["POOL", "MODE", "STATE", "WAITING FOR"], rows);
}

function failurePart(status: AgentStatus): string {
  if (status.failures.length === 0) return "Failures: none\n";
  return `Failures\n${status.failures.map((line) => `  ${line}\n`).join("")}`;
}
