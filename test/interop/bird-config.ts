/** Configurations of the two ends in the BIRD tests. */

import { ipv4 } from "../../src/lib/index.ts";
import { BIRD_ADDRESS, OUR_ADDRESS } from "./bird-lab.ts";
import type { ProgramConfig } from "./bird-program.ts";

export interface SessionOptions {
  readonly ourAs: number;
  readonly birdAs: number;
  /** What BIRD announces. */
  readonly birdRoutes?: readonly string[];
  /** What our speaker announces. */
  readonly ourRoutes?: readonly string[];
  /** BIRD's `graceful restart` options; on, with a restart time of 30 s, unless told. */
  readonly birdGracefulRestart?: string;
  readonly ourRestartTimeSeconds?: number;
}

export function birdConfig(options: SessionOptions): string {
  const { ourAs, birdAs, birdRoutes = [] } = options;
  const { birdGracefulRestart = "graceful restart on; graceful restart time 30;" } = options;
  return `
protocol device {}
protocol static blocks { ipv4; ${birdRoutes.map((route) => `route ${route} blackhole;`).join("\n")} }
protocol bgp ours {
  local ${BIRD_ADDRESS} as ${birdAs};
  neighbor ${OUR_ADDRESS} as ${ourAs};
  multihop;
  ${birdGracefulRestart}
  connect retry time 1;
  connect delay time 1;
  error wait time 1, 2;
  ipv4 { import all; export where source = RTS_STATIC; next hop self; };
}
`;
}

export function ourConfig(options: SessionOptions): ProgramConfig {
  return {
    localAs: options.ourAs,
    routerId: ipv4(OUR_ADDRESS),
    listen: { port: 179 },
    gracefulRestart: { restartTimeSeconds: options.ourRestartTimeSeconds ?? 30 },
    peers: [
      {
        name: "bird",
        address: ipv4(BIRD_ADDRESS),
        localAddress: ipv4(OUR_ADDRESS),
        remoteAs: options.birdAs,
        connectRetrySeconds: 1,
      },
    ],
    originate: options.ourRoutes ?? [],
  };
}
