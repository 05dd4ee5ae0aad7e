import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { renderMetrics } from "./metrics.ts";
import type { AgentStatus } from "./status.ts";

const status: AgentStatus = {
  node: "n1",
  version: "v0",
  pid: 1,
  startedAt: "2026-01-01T00:00:00Z",
  ready: true,
  notReady: "",
  datastore: { connected: false, since: "2026-01-01T00:00:00Z" },
  ipipBackend: "bpf",
  accepts: ["none"],
  sends: [],
  pools: { p: { mode: "IPIPAlways", realised: false, waiting: ["n2"] } },
  peers: [
    {
      address: "192.0.2.1",
      type: "global",
      state: "up",
      up: true,
      since: "2026-01-01T00:00:00Z",
      info: "Established",
    },
  ],
  guard: { sent: 400, lost: 3, breaches: 1 },
  passes: 7,
  routes: { programmed: 2, wanted: 3 },
  failures: ["a", "b"],
};

test("the status as samples", () => {
  const samples = renderMetrics(status)
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  assert.deepEqual(samples, [
    "switchyard_ready 1",
    "switchyard_datastore_connected 0",
    "switchyard_routes_programmed 2",
    "switchyard_routes_wanted 3",
    "switchyard_passes_total 7",
    'switchyard_guard_probes_total{result="sent"} 400',
    'switchyard_guard_probes_total{result="lost"} 3',
    "switchyard_guard_breaches_total 1",
    "switchyard_failures 2",
    'switchyard_bgp_session_up{peer="192.0.2.1"} 1',
    'switchyard_pool_realised{pool="p",mode="IPIPAlways"} 0',
  ]);
});

test("docs/reference/metrics.md names every metric and no other", () => {
  const page = readFileSync(new URL("../../docs/reference/metrics.md", import.meta.url), "utf8");
  const described = [...page.matchAll(/^\| `(switchyard_\w+)`/gm)].map(([, name]) => name);
  const types = [...renderMetrics(status).matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name);
  assert.deepEqual(described, types);
});
