/** Peers of one address: which configurations are taken, and which mean the same peer. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ipAddress, ipv4 } from "../lib/index.ts";
import { checkConfig } from "./config.ts";
import { isLinkLocal, placeOf } from "./place.ts";
import type { PeerConfig, SpeakerConfig } from "./types.ts";

function configOf(...peers: (Partial<PeerConfig> & { readonly at: string })[]): SpeakerConfig {
  return {
    ...{ localAs: 64512, routerId: ipv4("10.0.0.1"), originate: [] },
    peers: peers.map(({ at, ...rest }, index) => ({
      ...{ name: `p${index}`, remoteAs: 64513, address: ipAddress(at) },
      ...rest,
    })),
  };
}

describe("peers of one link-local address", () => {
  it("are taken where each has a device of its own", () => {
    checkConfig(configOf({ at: "fe80::2", device: "eth0" }, { at: "fe80::2", device: "eth1" }));
  });

  const refused: readonly [string, SpeakerConfig, RegExp][] = [
    ["with no device", configOf({ at: "fe80::2" }), /peers\.p0\.device: a link-local address/],
    [
      "on one device",
      configOf({ at: "fe80::2", device: "eth0" }, { at: "fe80::2", device: "eth0" }),
      /p0 and p1 have one address, fe80::2%eth0/,
    ],
    [
      "with two passwords",
      configOf(
        { at: "fe80::2", device: "eth0", password: "one" },
        { at: "fe80::2", device: "eth1", password: "two" },
      ),
      /p0 and p1 have one address and two passwords/,
    ],
    [
      "that is none, on two devices",
      configOf({ at: "10.0.0.2", device: "eth0" }, { at: "10.0.0.2", device: "eth1" }),
      /p0 and p1 have one address, 10\.0\.0\.2/,
    ],
  ];
  for (const [what, config, reason] of refused) {
    it(`${what} are refused`, () => assert.throws(() => checkConfig(config), reason));
  }
});

describe("the place of a peer", () => {
  it("has a device only where the address is of one link", () => {
    const named = (address: string) => placeOf({ address: ipAddress(address), device: "eth0" });
    assert.equal(named("fe80::1"), "fe80::1%eth0");
    assert.equal(named("febf:ffff::1"), "febf:ffff::1%eth0");
    for (const other of ["10.0.0.1", "fd00::1", "fec0::1", "fe7f::1", "2001:db8::1"]) {
      assert.equal(named(other), other);
      assert.equal(isLinkLocal(ipAddress(other)), false);
    }
  });
});
