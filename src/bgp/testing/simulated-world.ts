/**
 * Whole speakers on a network in memory and a clock that is moved by hand, for tests of everything
 * that takes minutes or needs an exact order of events.
 */

import assert from "node:assert/strict";
import { FakeClock, formatPrefix, ipAddress, ipv4, prefix } from "../../lib/index.ts";
import { silentLog } from "../../lib/log/index.ts";
import { Speaker } from "../speaker.ts";
import type { PeerConfig, SpeakerConfig } from "../types.ts";
import { MemoryBfd } from "./memory-bfd.ts";
import { MemoryNetwork } from "./memory-network.ts";

export const SECOND = 1000;

export interface NodeOptions {
  readonly as?: number;
  readonly originate?: readonly string[];
  readonly restartTimeSeconds?: number;
  /** By neighbour. */
  readonly peers?: Readonly<Record<string, Partial<PeerConfig>>>;
}

/** Machines named by their addresses; each is a peer of all those it names. */
export class World {
  readonly clock = new FakeClock();
  readonly network = new MemoryNetwork(this.clock);
  readonly bfd = new MemoryBfd(this.clock);
  readonly speakers = new Map<string, Speaker>();
  /** `ADDRESS +PREFIX` and `ADDRESS -PREFIX`, as listeners were told. */
  readonly events: string[] = [];

  config(address: string, neighbours: readonly string[], options: NodeOptions): SpeakerConfig {
    const { as = 64512, originate = [], restartTimeSeconds = 120 } = options;
    return {
      localAs: as,
      routerId: ipv4(address),
      listen: [{ port: 179 }],
      gracefulRestart: { restartTimeSeconds },
      originate: originate.map((text) => ({ prefix: prefix(text) })),
      peers: neighbours.map((neighbour) => ({
        name: neighbour,
        address: ipAddress(neighbour),
        remoteAs: 64512,
        ...options.peers?.[neighbour],
      })),
    };
  }

  async start(
    address: string,
    neighbours: readonly string[],
    options: NodeOptions = {},
  ): Promise<Speaker> {
    return this.startConfig(address, this.config(address, neighbours, options));
  }

  async startConfig(address: string, config: SpeakerConfig): Promise<Speaker> {
    const speaker = new Speaker({
      clock: this.clock,
      log: silentLog,
      config,
      transport: this.network.transport(ipv4(address)),
      bfdTransport: this.bfd,
    });
    this.speakers.set(address, speaker);
    speaker.onRoutes((changes) => {
      for (const { prefix: changed, best } of changes) {
        this.events.push(`${address} ${best ? "+" : "-"}${formatPrefix(changed)}`);
      }
    });
    await speaker.start();
    return speaker;
  }

  /** As kill -9. */
  kill(address: string): void {
    this.network.kill(ipv4(address));
    // What is left of it in this process must not speak any more.
    void this.speakers.get(address)?.stop();
    this.speakers.delete(address);
  }

  /** Its cable is pulled as far as present connections go. */
  silence(address: string): void {
    this.network.silence(ipv4(address));
  }

  routes(address: string): string[] {
    const speaker = this.speakers.get(address);
    assert.ok(speaker);
    return speaker
      .routes()
      .map(({ prefix: known, stale }) => `${formatPrefix(known)}${stale ? " stale" : ""}`)
      .sort();
  }

  state(address: string): string[] {
    return this.speakers
      .get(address)!
      .peers()
      .map(({ state }) => state);
  }

  advance(ms: number): Promise<void> {
    return this.clock.advance(ms);
  }
}

export const A = "10.0.0.1";
export const B = "10.0.0.2";
export const C = "10.0.0.3";

export async function pair(a: NodeOptions = {}, b: NodeOptions = {}): Promise<World> {
  const world = new World();
  await world.start(A, [B], { originate: ["10.1.0.0/26"], ...a });
  await world.start(B, [A], { originate: ["10.2.0.0/26", "10.2.1.0/24"], ...b });
  await world.advance(SECOND);
  assert.deepEqual([...world.state(A), ...world.state(B)], ["Established", "Established"]);
  return world;
}
