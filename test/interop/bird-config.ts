/** Configurations of the two ends in the BIRD tests. */

import { BIRD_ADDRESS, BIRD_ADDRESS6, OUR_ADDRESS, OUR_ADDRESS6 } from "./bird-lab.ts";
import type { ProgramConfig } from "./bird-program.ts";

export interface SessionOptions {
  readonly ourAs: number;
  readonly birdAs: number;
  /** 4 unless told. */
  readonly family?: 4 | 6;
  /** What BIRD announces. */
  readonly birdRoutes?: readonly string[];
  /** What our speaker announces. */
  readonly ourRoutes?: readonly string[];
  /** What BIRD expects of us; `as` and our AS unless told. */
  readonly birdExpects?: string;
  /** More lines of BIRD's session; graceful restart with 30 s unless told. */
  readonly birdOptions?: string;
  readonly ourRestartTimeSeconds?: number;
}

function addresses({ family = 4 }: SessionOptions): Record<"ours" | "birds", string> {
  return family === 4
    ? { ours: OUR_ADDRESS, birds: BIRD_ADDRESS }
    : { ours: OUR_ADDRESS6, birds: BIRD_ADDRESS6 };
}

export function birdConfig(options: SessionOptions): string {
  const { ourAs, birdAs, birdRoutes = [], birdExpects = `as ${ourAs}`, family = 4 } = options;
  const { birdOptions = "graceful restart on; graceful restart time 30;" } = options;
  const { ours, birds } = addresses(options);
  return `
protocol device {}
protocol static blocks {
  ipv${family};
  ${birdRoutes.map((route) => `route ${route} blackhole;`).join("\n")}
}
protocol bgp ours {
  local ${birds} as ${birdAs};
  neighbor ${ours} ${birdExpects};
  multihop;
  ${birdOptions}
  connect retry time 1;
  connect delay time 1;
  error wait time 1, 2;
  ipv${family} { import all; export where source = RTS_STATIC; next hop self; };
}
`;
}

export function ourConfig(options: SessionOptions): ProgramConfig {
  const { ours, birds } = addresses(options);
  return {
    localAs: options.ourAs,
    routerId: OUR_ADDRESS,
    listen: [{ port: 179 }],
    gracefulRestart: { restartTimeSeconds: options.ourRestartTimeSeconds ?? 30 },
    peers: [
      {
        name: "bird",
        address: birds,
        localAddress: ours,
        remoteAs: options.birdAs,
        connectRetrySeconds: 1,
        families: [options.family === 6 ? "ipv6-unicast" : "ipv4-unicast"],
      },
    ],
    originate: options.ourRoutes ?? [],
  };
}
