import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { PeerDetails } from "../bgp/index.ts";
import { ipv4 } from "../lib/index.ts";
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
      history: [],
    },
  ],
  guard: { sent: 400, lost: 3, breaches: 1 },
  passes: 7,
  routes: { programmed: 2, wanted: 3 },
  failures: ["a", "b"],
};

const none = { open: 0, update: 0, notification: 0, keepalive: 0, routeRefresh: 0, bytes: 0 };
const peer: PeerDetails = {
  ...{ name: "Mesh_1", address: ipv4("192.0.2.1"), remoteAs: 64512, localAs: 64512, port: 179 },
  ...{ state: "Established", sinceMs: 1500, lastError: "", holdTimeSeconds: 90, passive: false },
  ...{ routesReceived: 4, routesAccepted: 3, routesSent: 2, routesWaiting: 1, malformed: 8 },
  ...{ endOfRib: true, gracefulRestart: false, lastReceivedMs: 0, established: 6, ends: [] },
  received: { ...none, open: 6, update: 7, keepalive: 9, routeRefresh: 10, bytes: 1234 },
  sent: none,
  endCounts: [{ by: "us", name: "Hold Timer Expired", count: 5 }],
};

const speaker = {
  details: () => [peer],
  refused: () => ({
    ...{ total: 11, recent: [] },
    signatures: { wrong: 12, missing: 13, unexpected: 14 },
  }),
};

test("the status as samples", () => {
  const samples = renderMetrics(status, speaker)
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
    'switchyard_pool_realised{pool="p",mode="IPIPAlways"} 0',
    'switchyard_bgp_session_up{peer="192.0.2.1"} 1',
    'switchyard_bgp_session_state{peer="192.0.2.1"} 6',
    'switchyard_bgp_session_since_seconds{peer="192.0.2.1"} 1.5',
    'switchyard_bgp_hold_time_seconds{peer="192.0.2.1"} 90',
    'switchyard_bgp_prefixes{peer="192.0.2.1",kind="received"} 4',
    'switchyard_bgp_prefixes{peer="192.0.2.1",kind="accepted"} 3',
    'switchyard_bgp_prefixes{peer="192.0.2.1",kind="sent"} 2',
    'switchyard_bgp_prefixes{peer="192.0.2.1",kind="waiting"} 1',
    'switchyard_bgp_sessions_established_total{peer="192.0.2.1"} 6',
    'switchyard_bgp_sessions_ended_total{peer="192.0.2.1",by="us",reason="Hold Timer Expired"} 5',
    'switchyard_bgp_messages_total{peer="192.0.2.1",direction="in",type="open"} 6',
    'switchyard_bgp_messages_total{peer="192.0.2.1",direction="in",type="update"} 7',
    'switchyard_bgp_messages_total{peer="192.0.2.1",direction="in",type="notification"} 0',
    'switchyard_bgp_messages_total{peer="192.0.2.1",direction="in",type="keepalive"} 9',
    'switchyard_bgp_messages_total{peer="192.0.2.1",direction="in",type="route-refresh"} 10',
    'switchyard_bgp_messages_total{peer="192.0.2.1",direction="out",type="open"} 0',
    'switchyard_bgp_messages_total{peer="192.0.2.1",direction="out",type="update"} 0',
    'switchyard_bgp_messages_total{peer="192.0.2.1",direction="out",type="notification"} 0',
    'switchyard_bgp_messages_total{peer="192.0.2.1",direction="out",type="keepalive"} 0',
    'switchyard_bgp_messages_total{peer="192.0.2.1",direction="out",type="route-refresh"} 0',
    'switchyard_bgp_bytes_total{peer="192.0.2.1",direction="in"} 1234',
    'switchyard_bgp_bytes_total{peer="192.0.2.1",direction="out"} 0',
    'switchyard_bgp_malformed_updates_total{peer="192.0.2.1"} 8',
    "switchyard_bgp_refused_connections_total 11",
    'switchyard_bgp_signature_failures_total{kind="wrong"} 12',
    'switchyard_bgp_signature_failures_total{kind="missing"} 13',
    'switchyard_bgp_signature_failures_total{kind="unexpected"} 14',
  ]);
});

test("docs/reference/metrics.md names every metric and no other", () => {
  const page = readFileSync(new URL("../../docs/reference/metrics.md", import.meta.url), "utf8");
  const described = [...page.matchAll(/^\| `(switchyard_\w+)`/gm)].map(([, name]) => name);
  const types = [...renderMetrics(status, speaker).matchAll(/^# TYPE (\w+) /gm)].map(
    ([, name]) => name,
  );
  assert.deepEqual(described, types);
});
