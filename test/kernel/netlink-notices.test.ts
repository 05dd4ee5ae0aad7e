/** Notices: that nftables, tc and sysctls changed, from the kernel and from damaged bytes. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { namespacePath } from "../../src/lib/sys/index.ts";
import { openNotices } from "../../src/netlink/index.ts";
import { nftablesNotice, routeNotice } from "../../src/netlink/notices.ts";
import { inside, Namespaces, obstacleToKernelTests } from "./dataplane-support.ts";

const skip = obstacleToKernelTests() ?? false;

test("each kind of change is noticed, with its table or interface", { skip }, (context) => {
  const namespaces = new Namespaces();
  context.after(() => namespaces.close());
  const name = namespaces.make("notices");
  inside(name, "ip link add eth0 type veth peer name wire; ip link set eth0 up");
  const index = Number(/^(\d+): eth0/m.exec(inside(name, "ip -o link show"))![1]);
  const notices = openNotices({ namespace: namespacePath(name) });
  context.after(() => notices.close());
  const after = (script: string) => {
    notices.take();
    inside(name, script);
    return notices.take().map((notice) => JSON.stringify(notice));
  };
  const has = (script: string, notice: object) =>
    assert.ok(after(script).includes(JSON.stringify(notice)), script);
  const ours = { kind: "nftables", table: "ours" };
  has("nft add table ip ours", ours);
  has("nft add chain ip ours c", ours);
  has("nft add rule ip ours c counter", ours);
  has("nft add set ip ours s '{ type ipv4_addr; }'", ours);
  has("nft add element ip ours s '{ 10.0.0.1 }'", ours);
  has("nft delete element ip ours s '{ 10.0.0.1 }'", ours);
  has("nft flush chain ip ours c", ours);
  has("nft delete table ip ours", ours);
  const traffic = { kind: "traffic-control", index };
  has("tc qdisc add dev eth0 clsact", traffic);
  has("tc filter add dev eth0 ingress prio 7 protocol ip u32 match u32 0 0 flowid 1:1", traffic);
  has("tc filter delete dev eth0 ingress prio 7", traffic);
  has("tc qdisc delete dev eth0 clsact", traffic);
  const conf = "/proc/sys/net/ipv4/conf";
  has(`echo 2 >${conf}/eth0/rp_filter`, { kind: "configuration", index });
  has(`echo 1 >${conf}/eth0/forwarding`, { kind: "configuration", index });
  has("echo 1 >/proc/sys/net/ipv4/ip_forward", { kind: "configuration", index: -1 });
  assert.deepEqual(after("true"), []);
});

test("damaged messages are refused, or say nothing; nothing is read past the end", () => {
  const types = fc.constantFrom(36, 44, 80, 81, 0x0a00, 0x0a06, 0x0a0c, 0x0a0f, 0x0b00);
  let refused = 0;
  fc.assert(
    fc.property(types, fc.uint8Array({ maxLength: 48 }), (type, bytes) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const message = { type, flags: 0, sequence: 0, port: 0, view, start: 0, end: bytes.length };
      for (const decode of [routeNotice, nftablesNotice]) {
        try {
          decode(message);
        } catch (error) {
          assert.equal((error as { code?: string }).code, "NETLINK_MALFORMED");
          refused++;
        }
      }
    }),
  );
  assert.ok(refused > 0);
});
