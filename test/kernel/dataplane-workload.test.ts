/** Pods attached to a node's namespace and taken off again. */

import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { attachWorkload, detachWorkload } from "../../src/dataplane/index.ts";
import { ipAddress, ipv4, prefix4 } from "../../src/lib/index.ts";
import { namespacePath } from "../../src/lib/sys/index.ts";
import { inside, lines, Namespaces, obstacleToKernelTests } from "./dataplane-support.ts";

const skip = obstacleToKernelTests();
const DEVICE = "cali0123456789a";

function start(context: TestContext) {
  const namespaces = new Namespaces();
  context.after(() => namespaces.close());
  const host = namespaces.make("host");
  const pod = namespaces.make("pod");
  const options = {
    hostNamespace: namespacePath(host),
    podNamespace: namespacePath(pod),
    hostDevice: DEVICE,
    podDevice: "eth0",
    addresses: [ipv4("10.244.1.5")],
    mtu: 1450,
  };
  return { namespaces, host, pod, options };
}

describe("workload", skip === undefined ? {} : { skip }, () => {
  it("is attached as Calico attaches it", async (context) => {
    const { host, pod, options } = start(context);
    const { mac } = await attachWorkload(options);
    assert.match(inside(pod, "ip link show eth0"), new RegExp(`UP.* mtu 1450 .*\\n.*${mac}`));
    assert.match(inside(host, `ip link show ${DEVICE}`), /mtu 1450 .*\n.*ee:ee:ee:ee:ee:ee/);
    assert.deepEqual(lines(inside(pod, "ip route")), [
      "default via 169.254.1.1 dev eth0",
      "169.254.1.1 dev eth0 scope link",
    ]);
    assert.deepEqual(lines(inside(host, "ip route")), [`10.244.1.5 dev ${DEVICE} scope link`]);
    assert.match(inside(pod, "ip -4 address show eth0"), /inet 10\.244\.1\.5\/32 scope global/);
    const conf = `cd /proc/sys/net/ipv4; cd conf/${DEVICE}`;
    assert.deepEqual(
      lines(inside(host, `${conf}; cat proxy_arp forwarding route_localnet rp_filter`)),
      ["1", "1", "1", "1"],
    );
    assert.equal(inside(host, `cat /proc/sys/net/ipv4/neigh/${DEVICE}/proxy_delay`), "0\n");
    assert.equal(inside(pod, "cat /proc/sys/net/ipv4/ip_forward"), "0\n");
  });

  it("stays the same when attached again", async (context) => {
    const { host, pod, options } = start(context);
    const first = await attachWorkload(options);
    // The kernel may tell of a carrier up to a second late.
    const show = (name: string) =>
      inside(name, "ip -o link; ip -o -4 address; ip route").replace(
        /NO-CARRIER,|,LOWER_UP| state [A-Z]+/g,
        "",
      );
    const before = [show(host), show(pod)];
    assert.deepEqual(await attachWorkload(options), first);
    assert.deepEqual([show(host), show(pod)], before);
  });

  it("has both families, each with a gateway that answers at once", async (context) => {
    const { host, pod, options } = start(context);
    const addresses = [ipv4("10.244.1.5"), ipAddress("fd00:244::105")];
    const both = { ...options, addresses, routeMtu: 1400 };
    inside(host, "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding");
    await attachWorkload(both);
    const ours = (name: string) =>
      lines(inside(name, "ip -6 route")).filter((line) => !line.startsWith("fe80::/64"));
    assert.deepEqual(ours(host), [`fd00:244::105 dev ${DEVICE} metric 1024 pref medium`]);
    assert.deepEqual(ours(pod), [
      "fd00:244::105 dev eth0 proto kernel metric 256 pref medium",
      "default via fe80::ecee:eeff:feee:eeee dev eth0 metric 1024 mtu 1400 pref medium",
    ]);
    assert.match(inside(pod, "ip -6 address show eth0"), /inet6 fd00:244::105\/128 scope global/);
    const conf = `cd /proc/sys/net/ipv6/conf; cd ${DEVICE}`;
    assert.deepEqual(
      lines(inside(host, `${conf}; cat disable_ipv6 accept_ra accept_dad proxy_ndp forwarding`)),
      ["0", "0", "0", "1", "1"],
    );
    inside(host, "ip address add 2001:db8::1/128 dev lo");
    assert.match(inside(pod, "ping -6 -c 1 -W 1 2001:db8::1"), /1 received/);
    // Again: nothing changes; and one family less takes its address away.
    const before = inside(pod, "ip -o address; ip -6 route");
    await attachWorkload(both);
    assert.equal(inside(pod, "ip -o address; ip -6 route"), before);
    await attachWorkload(options);
    assert.doesNotMatch(inside(pod, "ip -6 address"), /fd00/);
  });

  it("gets the routes told instead of the default one", async (context) => {
    const { pod, options } = start(context);
    await attachWorkload({ ...options, routes: [prefix4("10.244.0.0/16")] });
    assert.deepEqual(lines(inside(pod, "ip route")), [
      "10.244.0.0/16 via 169.254.1.1 dev eth0",
      "169.254.1.1 dev eth0 scope link",
    ]);
  });

  it("replaces what an earlier pod of the name left", async (context) => {
    const { host, pod, options, namespaces } = start(context);
    inside(host, `ip link add ${DEVICE} type veth peer name stale`);
    await attachWorkload(options);
    assert.doesNotMatch(inside(host, "ip link"), /stale/);
    const next = namespaces.make("next");
    await attachWorkload({ ...options, podNamespace: namespacePath(next) });
    assert.doesNotMatch(inside(pod, "ip link"), /eth0/);
    assert.match(inside(next, "ip route"), /default via 169\.254\.1\.1/);
  });

  it("is refused an address that another pod of the node has", async (context) => {
    const { host, options, namespaces } = start(context);
    await attachWorkload(options);
    const other = namespaces.make("other");
    const taken = attachWorkload({
      ...options,
      podNamespace: namespacePath(other),
      hostDevice: "calibbbbbbbbbbb",
    });
    await assert.rejects(taken, {
      code: "RESOURCE_CONFLICT",
      message: `attach calibbbbbbbbbbb: address 10.244.1.5 is in use by route 10.244.1.5 dev ${DEVICE} scope link`,
    });
    assert.doesNotMatch(inside(host, "ip link"), /calibb/);
  });

  it("takes over an address that was routed to another node", async (context) => {
    const { host, options } = start(context);
    inside(
      host,
      `ip link add eth0 type veth peer name wire; ip link set eth0 up; ip link set wire up
       ip address add 172.139.20.75/24 dev eth0
       ip route add 10.244.1.5/32 via 172.139.20.76 proto bird`,
    );
    await attachWorkload(options);
    assert.match(inside(host, "ip route"), new RegExp(`^10.244.1.5 dev ${DEVICE} scope link`, "m"));
  });

  it("is taken off whole, and twice", async (context) => {
    const { host, pod, options } = start(context);
    await attachWorkload(options);
    const { hostNamespace, hostDevice } = options;
    await detachWorkload({ hostNamespace, hostDevice });
    await detachWorkload({ hostNamespace, hostDevice });
    assert.equal(inside(host, "ip route"), "");
    assert.doesNotMatch(inside(pod, "ip link"), /eth0/);
  });
});
