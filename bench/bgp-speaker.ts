/** Our speaker as a subject of the BGP benchmark: a process that does nothing else. Its argument is the case. */

import { flushCompileCache } from "node:module";
import { Speaker } from "../src/bgp/index.ts";
import { type IpAddress, ipAddress, ipv4, systemClock } from "../src/lib/index.ts";
import { createLog } from "../src/lib/log/index.ts";
import {
  type BgpCase,
  feederAddress,
  feederAs,
  QUIET,
  QUIET_HOLD_SECONDS,
  QUIET_KEEPALIVE_SECONDS,
  RECEIVER,
  SUBJECT_ADDRESS,
  SUBJECT_AS,
} from "./bgp-cases.ts";

if (import.meta.main) {
  const bgp = JSON.parse(process.argv[2]!) as BgpCase;
  const common = { localAddress: ipAddress(SUBJECT_ADDRESS) as IpAddress, passive: true };
  const speaker = new Speaker({
    clock: systemClock,
    log: createLog({ level: process.env.BGP_LOG ?? "silent" }),
    config: {
      localAs: SUBJECT_AS,
      routerId: ipv4(SUBJECT_ADDRESS),
      listen: [{ port: 179 }],
      originate: [],
      peers: [
        {
          name: "receiver",
          address: ipAddress(RECEIVER.address),
          remoteAs: RECEIVER.as,
          ...common,
        },
        {
          ...{ name: "quiet", address: ipAddress(QUIET.address), remoteAs: QUIET.as, ...common },
          families: ["ipv6-unicast"],
          holdTimeSeconds: QUIET_HOLD_SECONDS,
          keepaliveSeconds: QUIET_KEEPALIVE_SECONDS,
        },
        ...Array.from({ length: bgp.feeders }, (_, i) => ({
          ...common,
          name: `feeder${i}`,
          address: ipAddress(feederAddress(i)),
          remoteAs: feederAs(bgp, i),
          routeReflectorClient: bgp.shape === "reflector",
        })),
      ],
    },
  });
  await speaker.start();
  // For the next time: this process is killed in the end.
  flushCompileCache();
}
