/** All scenarios with Debian's FRR. */

import { frr } from "./programs/frr.ts";
import { runScenarios } from "./run-scenarios.ts";

await runScenarios(frr);
