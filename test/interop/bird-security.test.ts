/**
 * TCP MD5 (RFC 2385) and TTL security (RFC 5082) with Debian's BIRD 2, whichever side dials: a session
 * where both agree, none where they do not, and a session that outlives a new key.
 */

import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import type { PeerConfig } from "../../src/bgp/index.ts";
import { systemClock } from "../../src/lib/index.ts";
import { birdConfig, ourConfig } from "./bird-config.ts";
import { BirdLab, until } from "./bird-lab.ts";

const session = { ourAs: 64512, birdAs: 64512 } as const;
/** So long nothing may happen where nothing is to happen; each side tries every second. */
const QUIET_MS = 1500;

describe("BIRD with protected sessions", () => {
  let lab: BirdLab;

  before(() => {
    lab = new BirdLab("s");
  });
  afterEach(() => stop());
  after(() => lab.close());

  const ours = (family: 4 | 6, change: Partial<PeerConfig>) => {
    const config = ourConfig({ ...session, family, ourRoutes: [] });
    const peers = config.peers.map((peer) => {
      const { address: _, localAddress: __, ...rest } = change;
      return { ...peer, ...rest };
    });
    return { ...config, peers };
  };

  const established = () =>
    lab.untilOurs("established", ({ peers }) => peers[0]?.state === "Established");

  const stays = async (state: RegExp, why: string) => {
    await new Promise<void>((resolve) => systemClock.schedule(QUIET_MS, resolve));
    assert.match(lab.report.peers[0]!.state, state, why);
  };

  interface Ends {
    readonly name: string;
    readonly family: 4 | 6;
    readonly bird: string;
    readonly ours: Partial<PeerConfig>;
  }
  const birdDials = { name: "BIRD dials", bird: "", ours: { passive: true } };
  const weDial = { name: "we dial", bird: "passive on;", ours: {} };
  const ends: readonly Ends[] = [
    { ...birdDials, family: 4 },
    { ...weDial, family: 4 },
    { ...birdDials, family: 6 },
  ];

  async function start(end: Ends, birdOptions: string, change: Partial<PeerConfig>): Promise<void> {
    const options = `graceful restart on; ${end.bird} ${birdOptions}`;
    await lab.startBird(birdConfig({ ...session, family: end.family, birdOptions: options }));
    lab.startSpeaker();
    lab.tell({ config: ours(end.family, { ...end.ours, ...change }) });
    await until("the speaker runs", () => lab.hasReport);
  }

  async function stop(): Promise<void> {
    await lab.stopSpeaker("SIGKILL");
    await lab.stopBird("SIGKILL");
  }

  for (const end of ends) {
    it(`passwords, IPv${end.family}, ${end.name}`, async () => {
      await start(end, 'password "right";', { password: "wrong" });
      await stays(/^(?!Established|OpenSent|OpenConfirm)/, "with a wrong password");
      lab.tell({ config: ours(end.family, { ...end.ours, password: "right" }) });
      await established();
    });
  }

  it("a password only on one side: no session", async () => {
    const [end] = ends;
    await start(end!, "", { password: "right" });
    await stays(/^(?!Established|OpenSent|OpenConfirm)/, "BIRD has no password");
    lab.tell({ config: ours(4, end!.ours) });
    await established();
  });

  for (const end of ends) {
    it(`TTL security, IPv${end.family}, ${end.name}`, async () => {
      await start(end, "ttl security on; multihop 1;", { ttlSecurityHops: 1 });
      await established();
      await stop();
      await start(end, "ttl security on; multihop 1;", { ttl: 254 });
      await stays(/^(?!Established)/, "BIRD hears nothing");
      await stop();
      await start(end, "ttl security off; multihop 64;", { ttlSecurityHops: 1 });
      await stays(/^(?!Established|OpenConfirm)/, "we hear nothing");
      await stop();
      await start(end, "ttl security off; multihop 64;", { ttlSecurityHops: 200 });
      await established();
    });
  }
});
