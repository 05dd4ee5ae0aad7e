/** The agent's status as Prometheus text. */

import { type SpeakerView, speakerMetrics } from "../bgp/view/index.ts";
import type { AgentStatus } from "./status.ts";

type Counted = Pick<SpeakerView, "details" | "refused">;

export function renderMetrics(status: AgentStatus, speaker: Counted | undefined): string {
  const lines: string[] = [];
  const gauge = (name: string, help: string, samples: readonly (readonly [string, number])[]) => {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`);
    for (const [labels, value] of samples) lines.push(`${name}${labels} ${value}`);
  };
  gauge("switchyard_ready", "1 when every part has done its first work.", [
    ["", Number(status.ready)],
  ]);
  gauge("switchyard_datastore_connected", "1 while the datastore answers.", [
    ["", Number(status.datastore.connected)],
  ]);
  gauge("switchyard_routes_programmed", "Owned routes in the kernel.", [
    ["", status.routes.programmed],
  ]);
  gauge("switchyard_routes_wanted", "Routes of the plan.", [["", status.routes.wanted]]);
  gauge(
    "switchyard_mtu_bytes",
    "Largest packet of the host's network, and of its pods.",
    Object.entries(status.mtu ?? {}).map(([of, mtu]) => [`{of=${JSON.stringify(of)}}`, mtu]),
  );
  lines.push(
    "# HELP switchyard_passes_total Passes from the datastore's state to the kernel's.",
    "# TYPE switchyard_passes_total counter",
    `switchyard_passes_total ${status.passes}`,
  );
  lines.push(
    "# HELP switchyard_guard_probes_total Live probes of mode changes, by what came of them.",
    "# TYPE switchyard_guard_probes_total counter",
    `switchyard_guard_probes_total{result="sent"} ${status.guard.sent}`,
    `switchyard_guard_probes_total{result="lost"} ${status.guard.lost}`,
    "# HELP switchyard_guard_breaches_total Breaches that the guard of a mode change has seen.",
    "# TYPE switchyard_guard_breaches_total counter",
    `switchyard_guard_breaches_total ${status.guard.breaches}`,
  );
  gauge("switchyard_failures", "Objects refused or being retried.", [["", status.failures.length]]);
  gauge(
    "switchyard_pool_realised",
    "1 when every remote block of the pool is sent as the pool says.",
    Object.entries(status.pools).map(([name, pool]) => [
      `{pool=${JSON.stringify(name)},mode=${JSON.stringify(pool.mode)}}`,
      Number(pool.realised),
    ]),
  );
  return `${lines.join("\n")}\n${speakerMetrics(speaker)}`;
}
