/** All scenarios with Debian's GoBGP. */

import { gobgp } from "./programs/gobgp.ts";
import { runScenarios } from "./run-scenarios.ts";

await runScenarios(gobgp);
