/** What the tests of the state machine and its words are about: a session of AS 64512 with AS 64513. */

import { ipv4 } from "../../lib/index.ts";
import type { SessionParameters } from "./parameters.ts";

export const testParameters: SessionParameters = {
  address: ipv4("192.0.2.2"),
  port: 179,
  passive: false,
  ttl: 255,
  localAs: 64512,
  allowedLocalAs: 0,
  routerId: ipv4("192.0.2.1"),
  clusterId: ipv4("192.0.2.1"),
  remoteAs: 64513,
  holdTimeSeconds: 90,
  connectRetrySeconds: 5,
  families: ["ipv4-unicast"],
  extendedNextHop: false,
  strictRole: false,
  restartTimeSeconds: 120,
};
