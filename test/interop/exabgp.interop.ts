/** All scenarios with Debian's ExaBGP. */

import { exabgp } from "./programs/exabgp.ts";
import { runScenarios } from "./run-scenarios.ts";

await runScenarios(exabgp);
