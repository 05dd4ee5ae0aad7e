/** Samples are of Linux 6.18, shortened. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseConntrack, parseDevices, parseSnmp, parseSnmp6, risen } from "./counters.ts";

const snmp = `Ip: Forwarding DefaultTTL InReceives InDiscards OutDiscards OutNoRoutes
Ip: 1 64 59896 3 4 5
Icmp: InMsgs InErrors
Icmp: 2 0
Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens RetransSegs OutSegs InCsumErrors
Tcp: 1 200 120000 -1 17 8 900 0
`;
const netstat = `TcpExt: SyncookiesSent IPReversePathFilter
TcpExt: 0 12
IpExt: InNoRoutes InTruncatedPkts
IpExt: 7 0
`;
const conntrack = `entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop icmp_error
0000000c  00000000 00000000 00000000 0000001f 00000000 00000000 00000000 00000000 00000002 00000000 00000000 00000000
0000000c  00000000 00000000 00000000 00000001 00000000 00000000 00000000 00000000 00000001 00000010 00000000 00000000
`;
const devices = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 3096036    2384    0    0    0     0          0         0  3096036    2384    0    0    0     0       0          0
  eth0:  123456     789    1    2    0     0          0         0    98765     432    3    4    0     0       0          0
vxlan.calico:     0       0    0    0    0     0          0         0        0       0    0    7    0     0       0          0
`;

const wanted = new Set([
  ...["Ip.InDiscards", "Ip.OutDiscards", "Ip.OutNoRoutes", "Tcp.RetransSegs", "Tcp.OutSegs"],
  ...["TcpExt.IPReversePathFilter", "IpExt.InNoRoutes", "Ip6InNoRoutes"],
]);

test("each file gives what is wanted of it", () => {
  assert.deepEqual(parseSnmp(snmp, wanted), {
    ...{ "Ip.InDiscards": 3, "Ip.OutDiscards": 4, "Ip.OutNoRoutes": 5 },
    ...{ "Tcp.RetransSegs": 8, "Tcp.OutSegs": 900 },
  });
  assert.deepEqual(parseSnmp(netstat, wanted), {
    ...{ "TcpExt.IPReversePathFilter": 12, "IpExt.InNoRoutes": 7 },
  });
  assert.deepEqual(parseSnmp6("Ip6InReceives   \t237\nIp6InNoRoutes  \t9\n", wanted), {
    Ip6InNoRoutes: 9,
  });
  assert.deepEqual(parseConntrack(conntrack), {
    ...{ "conntrack.invalid": 32, "conntrack.insert_failed": 3, "conntrack.drop": 16 },
  });
  assert.deepEqual(parseDevices(devices, new Set(["eth0", "vxlan.calico", "tunl0"])), {
    ...{ "eth0 rxErrors": 1, "eth0 rxDropped": 2, "eth0 txErrors": 3, "eth0 txDropped": 4 },
    ...{ "vxlan.calico rxErrors": 0, "vxlan.calico rxDropped": 0 },
    ...{ "vxlan.calico txErrors": 0, "vxlan.calico txDropped": 7 },
  });
});

test("what does not look as it should says nothing", () => {
  const bent: readonly [string, string][] = [
    ["values missing", snmp.replace(" 5\n", "\n")],
    ["not a number", snmp.replace(" 5\n", " 5x\n")],
    ["another prefix below", snmp.replace("Ip: 1", "Ipp: 1")],
  ];
  for (const [what, text] of bent) {
    assert.equal(parseSnmp(text, wanted)["Ip.OutNoRoutes"], undefined, what);
  }
  assert.deepEqual(parseConntrack(conntrack.replace(/0000001f/, "xyz")), {
    ...{ "conntrack.insert_failed": 3, "conntrack.drop": 16 },
  });
  assert.deepEqual(parseConntrack(conntrack.split("\n")[0] ?? ""), {});
  assert.deepEqual(parseDevices(devices.replace("  4    0", "  4"), new Set(["eth0"])), {});
});

test("any text is read without harm", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      for (const parsed of [
        ...[parseSnmp(text, wanted), parseSnmp6(text, wanted), parseConntrack(text)],
        parseDevices(text, wanted),
      ]) {
        assert.ok(Object.values(parsed).every(Number.isSafeInteger));
      }
    }),
  );
});

test("a counter that is new has not risen; of a device made anew all counts", () => {
  assert.deepEqual(risen({ a: 5, b: 9, gone: 1 }, { a: 7, b: 2, c: 100 }), { a: 2, b: 2, c: 0 });
});
