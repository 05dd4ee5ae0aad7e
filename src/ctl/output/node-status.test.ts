import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import type { AgentStatus } from "../../agent/index.ts";
import { agentSockets } from "../agent-socket.ts";
import { renderNodeStatus } from "./node-status.ts";
import { sinceText } from "./since.ts";

const now = new Date(2026, 10, 23, 12, 0, 0);
const recently = new Date(2026, 10, 23, 9, 8, 7).toISOString();
const longAgo = new Date(2016, 10, 21, 1, 2, 3).toISOString();

const status: AgentStatus = {
  node: "node1",
  version: "v0.1.0",
  pid: 42,
  startedAt: recently,
  ready: true,
  notReady: "",
  datastore: { connected: false, since: recently },
  ipipBackend: "bpf",
  accepts: ["none", "ipip"],
  sends: [],
  pools: {
    b: { mode: "None", realised: true, waiting: [] },
    a: { mode: "IPIPCrossSubnet", realised: false, waiting: ["node2 does not accept ipip", "two"] },
  },
  mtu: { host: 1500, pods: 1480 },
  peers: [
    {
      address: "172.17.8.102",
      type: "node-to-node mesh",
      state: "up",
      up: true,
      since: longAgo,
      info: "Established",
      history: [
        {
          ...{ at: recently, times: 1, by: "us", from: "Established", establishedSeconds: 7325 },
          name: "Hold Timer Expired",
          reason: "sent Hold Timer Expired: no whole message came for 90.0 s (hold time 90 s)",
        },
        {
          ...{ at: longAgo, first: longAgo, times: 3, by: "network", from: "Connect" },
          ...{ name: "no answer", reason: "no answer from 172.17.8.102 port 179" },
        },
      ],
    },
  ],
  guard: { sent: 400, lost: 3, breaches: 1 },
  passes: 7,
  routes: { programmed: 2, wanted: 3 },
  failures: ["route 10.0.0.0/26: File exists"],
};

describe("node status", () => {
  test("is calicoctl's text, then the agent's own", () => {
    assert.equal(
      renderNodeStatus(status, now.getTime()),
      `Calico process is running.

IPv4 BGP status
+--------------+-------------------+-------+------------+-------------+
| PEER ADDRESS | PEER TYPE         | STATE | SINCE      | INFO        |
+--------------+-------------------+-------+------------+-------------+
| 172.17.8.102 | node-to-node mesh | up    | 2016-11-21 | Established |
+--------------+-------------------+-------+------------+-------------+

IPv6 BGP status
No IPv6 peers found.

Switchyard agent
Node: node1
Version: v0.1.0 (pid 42, since 09:08:07)
Ready: yes
Datastore: not reachable (forwarding continues) since 09:08:07
IP-in-IP: BPF on ifb tunl0
Accepts: none, ipip
Sends: -
MTU: host 1500, pods 1480
Routes: 2 of 3 programmed

BGP sessions that ended
  09:08:07 172.17.8.102 after 2h2m: sent Hold Timer Expired: no whole message came for 90.0 s (hold time 90 s)
  2016-11-21 01:02:03 172.17.8.102 in Connect, 3 times since 2016-11-21 01:02:03: no answer from 172.17.8.102 port 179

IP pools
+------+------------------+----------+----------------------------+
| POOL | MODE             | STATE    | WAITING FOR                |
+------+------------------+----------+----------------------------+
| a    | IPIP CrossSubnet | waiting  | node2 does not accept ipip |
|      |                  |          | two                        |
| b    | None             | realised |                            |
+------+------------------+----------+----------------------------+

Failures
  route 10.0.0.0/26: File exists
`,
    );
  });

  test("a time that is none is shown as it is", () => {
    assert.equal(sinceText("never", now.getTime()), "never");
  });

  test("finds the agents of the system and of labs", () => {
    const directory = mkdtempSync(join(tmpdir(), "switchyard-agents-"));
    try {
      for (const path of [
        "n0/agent.sock",
        "lab/nodes/n1/agent.sock",
        "lab-x/nodes/n2/agent.sock",
        "lab/nodes/n3/x",
      ]) {
        mkdirSync(join(directory, dirname(path)), { recursive: true });
        writeFileSync(join(directory, path), "");
      }
      assert.deepEqual(
        agentSockets(directory).map((socket) => socket.node),
        ["n0", "n1", "n2"],
      );
      assert.deepEqual(agentSockets(join(directory, "none")), []);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
