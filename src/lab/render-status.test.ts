import assert from "node:assert/strict";
import { test } from "node:test";
import { renderStatus } from "./render-status.ts";
import type { LabStatus } from "./status.ts";

const healthy: LabStatus = {
  healthy: true,
  problems: [],
  mode: "ipip",
  server: { pid: 10, socketPath: "/run/switchyard/lab/api.sock" },
  router: {
    pid: 11,
    addresses: ["172.139.20.1", "172.139.30.1"],
    sessions: [
      { peer: "node1", state: "Established", routes: 1 },
      { peer: "node2", state: "Active", routes: 0 },
    ],
    routes: {},
  },
  outside: { address: "198.51.100.10" },
  faults: [],
  nodes: [
    {
      name: "node1",
      address: "172.139.20.75",
      subnet: "br20",
      pid: 12,
      mode: "ipip",
      ipipBackend: "bpf",
      sessions: { established: 1, total: 1 },
      pods: [{ name: "pod1a", address: "10.244.1.1" }],
    },
  ],
};

test("a healthy lab", () => {
  assert.equal(
    renderStatus(healthy),
    `mode     ipip
server   pid 10  /run/switchyard/lab/api.sock
router   pid 11  172.139.20.1 172.139.30.1  sessions 1/2
outside  198.51.100.10

NODE   ADDRESS        SUBNET  PID  MODE  SESSIONS  PODS
node1  172.139.20.75  br20    12   ipip  1/1       pod1a=10.244.1.1

healthy
`,
  );
});

test("what is wrong comes last, a line each", () => {
  const node = { ...healthy.nodes[0]!, pid: undefined, mode: undefined };
  const text = renderStatus({
    ...healthy,
    healthy: false,
    mode: undefined,
    nodes: [node],
    problems: ["node1: its agent does not run", "router: session with node2: Active"],
  });
  assert.match(text, /^mode {5}unknown$/m);
  assert.match(text, /^node1 {2}172\.139\.20\.75 {2}br20 {4}- {4}- {5}1\/1/m);
  assert.ok(
    text.endsWith(
      "not healthy:\n  node1: its agent does not run\n  router: session with node2: Active\n",
    ),
  );
});

test("a fault is a line, and nothing wrong by itself", () => {
  const text = renderStatus({ ...healthy, faults: [{ id: 7, text: "loss of 5 % everywhere" }] });
  assert.match(text, /^outside .*\nfault 7 {2}loss of 5 % everywhere\n\n/m);
  assert.match(text, /^healthy$/m);
});
