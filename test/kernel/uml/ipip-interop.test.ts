/**
 * Our BPF tunnel against the kernel's own ipip module, which runs in a User-Mode-Linux guest:
 *
 *     n1 (BPF tunl0)  172.139.20.75 --+-- br20 --+-- tap -- guest (ipip.ko tunl0)  172.139.20.76
 *     10.244.1.0/26                                                              10.244.2.0/26
 *
 * Proves, on the wire of br20: (1) each understands the other's packets, both ways, small, fragmented
 * inside and as bulk TCP; (2) both write the same outer header but for the documented differences;
 * (3) packets of a sender that is not known are dropped and counted.
 */

import assert from "node:assert/strict";
import net from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "node:test";
import { type IpipBackend, openIpipBackend } from "../../../src/dataplane/ipip/index.ts";
import { ipv4, sleep, systemClock } from "../../../src/lib/index.ts";
import { connectTcp } from "../../../src/lib/sys/index.ts";
import { address, ip, Namespaces, pathOf, stateOf } from "../ipip-namespaces.ts";
import { probe, startEcho, transfer } from "../ipip-traffic.ts";
import { captureIpip } from "./capture.ts";
import { CONTROL_PORT, type GuestCommand, type GuestTunnel } from "./guest-peer.ts";
import { startUml, type UmlGuest, umlMissing } from "./launcher.ts";

/** From the start of the guest until its control port answers; 4 s on an idle machine. */
const BOOT_TIMEOUT_MS = 40_000;

const guestScript = `
ip link set vec0 up
ip addr add 172.139.20.76/24 dev vec0
exec ${process.execPath} ${join(import.meta.dirname, "guest-peer.ts")} \\
	172.139.20.76 10.244.2.0 "10.244.1.0/26 via 172.139.20.75"
`;

describe("BPF tunl0 and the kernel's ipip module", { skip: umlMissing ?? false }, () => {
  const namespaces = new Namespaces();
  let n1: string;
  let bridge: string;
  let guest: UmlGuest;
  let backend: IpipBackend;
  let echo: { close(): void } | undefined;
  let control: net.Socket;
  let answers: AsyncIterator<string>;
  const state = (senders: readonly string[]) =>
    stateOf({
      namespace: n1,
      local: "172.139.20.75",
      senders,
      destinations: ["10.244.2.0/26 via 172.139.20.76"],
    });
  const here = () => ({ namespace: n1, address: "10.244.1.0" });

  async function ask(command: GuestCommand): Promise<unknown> {
    control.write(`${JSON.stringify(command)}\n`);
    const { value } = await answers.next();
    return JSON.parse(value);
  }

  before(async () => {
    bridge = namespaces.add("r");
    n1 = namespaces.add("a");
    ip(
      bridge,
      `link add br20 type bridge
      link set br20 up
      link add port1 type veth peer name eth0 netns ${n1}
      link set port1 master br20 up
      tuntap add tap20 mode tap
      link set tap20 master br20 up`,
    );
    ip(n1, "addr add 172.139.20.75/24 dev eth0\nlink set eth0 up");
    guest = startUml({
      namespace: pathOf(bridge),
      tap: "tap20",
      modules: ["net/ipv4/tunnel4", "net/ipv4/ip_tunnel", "net/ipv4/ipip"],
      script: guestScript,
    });
    backend = await openIpipBackend({ namespace: pathOf(n1), prefer: "bpf" });
    await backend.apply(state(["172.139.20.76"]));
    address(n1, { own: "10.244.1.0", routes: ["10.244.2.0/26 via 172.139.20.76"] });
    echo = await startEcho(here());
    control = await reach(guest, n1);
    answers = createInterface({ input: control })[Symbol.asyncIterator]();
  });

  after(async () => {
    control?.destroy();
    echo?.close();
    backend?.close();
    await guest?.stop();
    namespaces.remove();
  });

  it("our backend in the guest took the kernel's module, and set its device up", async () => {
    const { backend, text } = (await ask({ kind: "tunnel" })) as GuestTunnel;
    assert.equal(backend, "kernel");
    assert.match(text, /tunl0@NONE: <NOARP,UP,LOWER_UP> mtu 1480/);
    assert.match(text, /ipip any remote any local any ttl inherit nopmtudisc/);
    assert.match(text, /^10\.244\.1\.0\/26 via 172\.139\.20\.75 dev tunl0 proto bird onlink/m);
  });

  it("both write the same outer header", async () => {
    const captured = await captureIpip({ namespace: pathOf(bridge), device: "br20", packets: 10 });
    const result = await probe({ from: here(), to: "10.244.2.0", bytes: 100, count: 5 });
    assert.deepEqual(result, { sent: 5, received: 5, reordered: 0, intact: true });
    const packets = await captured();
    const ours = packets.filter(({ outer }) => outer.source === "172.139.20.75");
    const theirs = packets.filter(({ outer }) => outer.source === "172.139.20.76");
    assert.equal(ours.length, 5);
    assert.equal(theirs.length, 5);
    const common = {
      version: 4,
      headerWords: 5,
      tos: 0,
      totalBytes: 20 + 20 + 8 + 100,
      fragment: false,
      ttl: 64,
      protocol: 4,
      checksumGood: true,
    };
    for (const { outer, inner } of ours) {
      const [source, destination] = ["172.139.20.75", "172.139.20.76"];
      assert.deepEqual(outer, { ...common, dontFragment: true, source, destination });
      assert.deepEqual([inner.source, inner.destination], ["10.244.1.0", "10.244.2.0"]);
      assert.ok(inner.checksumGood && inner.protocol === 17);
    }
    for (const { outer, inner } of theirs) {
      const [source, destination] = ["172.139.20.76", "172.139.20.75"];
      // tunl0 of the module is `ttl inherit nopmtudisc`: TTL and DF are those of the inner header.
      const { dontFragment } = inner;
      assert.deepEqual(outer, { ...common, dontFragment, source, destination });
      assert.deepEqual([inner.source, inner.destination], ["10.244.2.0", "10.244.1.0"]);
    }
  });

  for (const bytes of [10, 1452, 4000]) {
    it(`datagrams of ${bytes} bytes go from BPF to the module and back`, async () => {
      const result = await probe({
        from: here(),
        to: "10.244.2.0",
        bytes,
        count: 20,
        perSecond: 200,
      });
      assert.deepEqual(result, { sent: 20, received: 20, reordered: 0, intact: true });
    });

    it(`datagrams of ${bytes} bytes go from the module to BPF and back`, async () => {
      assert.equal(await ask({ kind: "udp", to: "10.244.1.0", bytes, count: 20 }), 20);
    });
  }

  it("TCP data goes from BPF to the module and back", async () => {
    await transfer({ from: here(), to: "10.244.2.0", bytes: 16 << 20 });
  });

  it("TCP data goes from the module to BPF and back", async () => {
    assert.equal(await ask({ kind: "tcp", to: "10.244.1.0", bytes: 16 << 20 }), 16 << 20);
  });

  it("what the module sends is dropped and counted when its node is not known", async () => {
    const before = await backend.counters();
    await backend.apply(state([]));
    assert.equal(await ask({ kind: "udp", to: "10.244.1.0", bytes: 10, count: 3 }), 0);
    const during = await backend.counters();
    assert.equal(during.unknownSender - before.unknownSender, 3);
    assert.equal(during.decapsulated, before.decapsulated);
    await backend.apply(state(["172.139.20.76"]));
    assert.equal(await ask({ kind: "udp", to: "10.244.1.0", bytes: 10, count: 3 }), 3);
    assert.equal(during.errors, 0);
  });

  it("the kernel's backend counts, and takes its tunnel down", async () => {
    const { counters } = (await ask({ kind: "tunnel" })) as GuestTunnel;
    assert.ok(counters.encapsulated > 100 && counters.decapsulated > 100);
    assert.equal(counters.errors, 0);
    const { text } = (await ask({ kind: "remove" })) as GuestTunnel;
    // The module's fallback device cannot be deleted, only set down; its routes go with that.
    assert.match(text, /tunl0@NONE: <NOARP> mtu 1480/);
    assert.doesNotMatch(text, /dev tunl0/);
  });

  it("the guest halts with success when told", async () => {
    control.write(`${JSON.stringify({ kind: "halt" })}\n`);
    assert.equal(await guest.exited, 0, guest.output());
  });
});

/** Connects to the guest's control port as soon as it is there. */
async function reach(guest: UmlGuest, namespace: string): Promise<net.Socket> {
  const deadlineMs = systemClock.monotonicMs() + BOOT_TIMEOUT_MS;
  let dead = false;
  guest.exited.then(() => {
    dead = true;
  });
  for (;;) {
    try {
      const fd = await connectTcp({
        namespace: pathOf(namespace),
        address: ipv4("172.139.20.76"),
        port: CONTROL_PORT,
        timeoutMs: 500,
      });
      const socket = new net.Socket({ fd });
      socket.on("error", () => {});
      return socket;
    } catch (error) {
      if (dead || systemClock.monotonicMs() > deadlineMs) {
        throw new Error(`the guest does not answer:\n${guest.output()}`, { cause: error });
      }
      await sleep(systemClock, 100);
    }
  }
}
