/** All scenarios with Debian's BIRD 2; the other programs are played by `npm run test:interop`. */

import { bird } from "./programs/bird.ts";
import { runScenarios } from "./run-scenarios.ts";

await runScenarios(bird);
