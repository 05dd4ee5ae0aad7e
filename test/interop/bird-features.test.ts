/**
 * What BIRD 2 and our speaker can agree on beyond the base, all in one eBGP session over IPv6: IPv4 with
 * IPv6 next hops (RFC 8950), roles (RFC 9234), large communities (RFC 8092), messages beyond 4096 bytes
 * (RFC 8654); and that roles which do not fit end in a NOTIFICATION, whoever sends it.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { PeerConfig } from "../../src/bgp/index.ts";
import { ourConfig } from "./bird-config.ts";
import { BIRD_ADDRESS6, BirdLab, OUR_ADDRESS6, until } from "./bird-lab.ts";
import type { ProgramConfig } from "./bird-program.ts";

const OUR_AS = 64512;
const BIRD_AS = 65000;
/** Eight thousand bytes of attributes. */
const many = Array.from({ length: 2000 }, (_, index) => OUR_AS * 65_536 + index);

const bird = (role: string) => `
protocol device {}
protocol static blocks {
  ipv4;
  route 10.2.0.0/26 blackhole;
}
protocol bgp ours {
  local ${BIRD_ADDRESS6} as ${BIRD_AS};
  neighbor ${OUR_ADDRESS6} as ${OUR_AS};
  local role ${role};
  require roles on;
  enable extended messages on;
  connect retry time 1;
  connect delay time 1;
  error wait time 1, 2;
  ipv4 {
    extended next hop on;
    import all;
    export filter {
      if source != RTS_STATIC then reject;
      bgp_large_community.add((${BIRD_AS}, 1, 4294967295));
      accept;
    };
    next hop self;
  };
}
`;

function ours(change: Partial<PeerConfig>): ProgramConfig {
  const config = ourConfig({ ourAs: OUR_AS, birdAs: BIRD_AS, family: 6 });
  const { address: _, localAddress: __, ...rest } = change;
  return {
    ...config,
    peers: config.peers.map((peer) => ({
      ...peer,
      families: ["ipv4-unicast"],
      extendedNextHop: true,
      strictRole: true,
      ...rest,
    })),
    originate: [
      { prefix: "10.1.0.0/26", largeCommunities: [[4_200_000_000, 7, 8]] },
      { prefix: "10.1.0.64/26", communities: many },
    ],
  };
}

describe("BIRD, one session with everything", () => {
  let lab: BirdLab;

  before(() => {
    lab = new BirdLab("f");
  });
  after(() => lab.close());

  it("is established and carries it all", async () => {
    await lab.startBird(bird("customer"));
    lab.startSpeaker();
    lab.tell({ config: ours({ role: "provider" }) });
    const report = await lab.untilOurs("a route", ({ routes }) => routes.length === 1);
    const large = `large ${BIRD_AS}:1:4294967295`;
    assert.deepEqual(report.routes, [`10.2.0.0/26 via ${BIRD_ADDRESS6} as ${BIRD_AS} ${large}`]);
    await until("BIRD has both", () => lab.birdRouteCount() === 2);
    const first = lab.birdc("show route 10.1.0.0/26 all");
    assert.match(first, new RegExp(`BGP.next_hop: ${OUR_ADDRESS6}`));
    assert.match(first, /BGP.large_community: \(4200000000, 7, 8\)/);
    assert.match(first, new RegExp(`BGP.otc: ${OUR_AS}`));
    const second = lab.birdc("show route 10.1.0.64/26 all");
    assert.match(second, new RegExp(`\\(${OUR_AS},1999\\)`));
  });

  it("with roles that do not fit is refused", async () => {
    lab.tell({ config: ours({ role: "peer" }) });
    const { peers } = await lab.untilOurs("an error", ({ peers: [peer] }) =>
      /Role Mismatch/.test(peer?.lastError ?? ""),
    );
    assert.match(peers[0]!.lastError, /^(sent|received) OPEN Message Error \/ Role Mismatch/);
    assert.notEqual(peers[0]!.state, "Established");
    lab.tell({ config: ours({ role: "provider" }) });
    await lab.untilOurs("a route again", ({ routes }) => routes.length === 1);
  });
});
