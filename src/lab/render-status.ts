/** `lab status` as text. Pure. */

import type { LabStatus } from "./status.ts";
import { podText } from "./suggestions.ts";

export function renderStatus(status: LabStatus): string {
  const { server, router, outside, faults } = status;
  const established = router.sessions.filter(({ state }) => state === "Established").length;
  const nodes = status.nodes.map((node) => [
    node.name,
    node.address,
    node.subnet,
    pidText(node.pid),
    node.mode ?? "-",
    `${node.sessions.established}/${node.sessions.total}`,
    node.pods.map(podText).join(" "),
  ]);
  const lines = [
    `mode     ${status.mode ?? "unknown"}`,
    `server   pid ${pidText(server.pid)}  ${server.socketPath}`,
    `router   pid ${pidText(router.pid)}  ${router.addresses.join(" ")}  sessions ${established}/${router.sessions.length}`,
    `outside  ${outside.address}`,
    ...faults.map(({ id, text }) => `fault ${String(id).padEnd(2)} ${text}`),
    "",
    ...table([["NODE", "ADDRESS", "SUBNET", "PID", "MODE", "SESSIONS", "PODS"], ...nodes]),
    "",
  ];
  if (status.healthy) lines.push("healthy");
  else lines.push("not healthy:", ...status.problems.map((problem) => `  ${problem}`));
  return `${lines.join("\n")}\n`;
}

function pidText(pid: number | undefined): string {
  return pid === undefined ? "-" : String(pid);
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd(),
  );
}
