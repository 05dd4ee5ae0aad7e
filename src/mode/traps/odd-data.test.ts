/** Whatever resources hold, every check comes to an end: none throws, and none takes another with it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { modeNames } from "../../model/index.ts";
import { healthyCluster, healthyHost, healthyMode, healthyNode } from "../testing/cluster.ts";
import { findTraps } from "./find-traps.ts";

const oddText = fc.oneof(
  fc.constantFrom(
    "",
    "/",
    "10.0.0.0/33",
    "1.2.3.4",
    "::/0",
    "10.244.0.0/16",
    "0.0.0.0/0",
    "fe80::1%eth0",
  ),
  fc.string({ maxLength: 12 }),
);
const oddNumber = fc.constantFrom(0, 1, 32, 1500, -1, 2 ** 31);
const odd = fc.record(
  {
    cidr: oddText,
    address: oddText,
    address6: oddText,
    tunnel: oddText,
    pattern: fc.constantFrom("(", "^eth", "", "[a-"),
    selector: oddText,
    peerIP: oddText,
    route: oddText,
    gateway: oddText,
    mtu: oddNumber,
    length: oddNumber,
    pod: oddText,
  },
  { noNullPrototype: true },
);

test("checks come to an end on odd data", () => {
  fc.assert(
    fc.property(odd, fc.constantFrom(...modeNames), fc.boolean(), (said, to, mesh) => {
      const healthy = healthyCluster(to);
      const node = healthyNode("a");
      const bgp = { ipv4Address: said.address, ipv6Address: said.address6 };
      const host = healthyHost("a", {
        uplink: { ...healthyHost("a").status!.uplink!, mtu: said.mtu, prefixLength: said.length },
        routes: [{ destination: said.route, gateway: said.gateway, device: "eth1" }],
        podMtus: { [said.pod]: 1 },
        kernel: said.pod,
      });
      const traps = findTraps({
        ...healthy,
        spec: mesh ? { mesh: "off" } : healthy.spec,
        view: {
          ...healthy.view,
          nodes: [
            { ...node, spec: { ...node.spec, ipv4VXLANTunnelAddr: said.tunnel, bgp } },
            healthyNode("b"),
          ],
          pools: healthy.view.pools.map((pool) => ({
            ...pool,
            spec: { ...pool.spec, cidr: said.cidr, nodeSelector: said.selector },
          })),
          affinities: healthy.view.affinities.map((block) => ({
            ...block,
            spec: { ...block.spec, cidr: said.cidr },
          })),
          bgpPeers: healthy.view.bgpPeers.map((peer) => ({
            ...peer,
            spec: { peerIP: said.peerIP, nodeSelector: said.selector },
          })),
          felixConfigurations: [
            {
              apiVersion: "projectcalico.org/v3",
              kind: "FelixConfiguration",
              metadata: { name: "default" },
              spec: { mtuIfacePattern: said.pattern, vxlanMTU: said.mtu },
            },
          ],
          nodeModes: [healthyMode("a", {}, { pools: {} })],
        },
        nodeHosts: [host],
        blocks: [
          {
            apiVersion: "projectcalico.org/v3",
            kind: "IPAMBlock",
            metadata: { name: "odd" },
            spec: {
              cidr: said.cidr,
              allocations: [],
              unallocated: [],
              attributes: [],
              sequenceNumber: 1,
            },
          },
        ],
      });
      assert.deepEqual(
        traps.filter(({ message }) => message.startsWith("could not be checked")),
        [],
      );
    }),
  );
});
