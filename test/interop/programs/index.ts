/** All programs there is a driver for. */

import { bird } from "./bird.ts";
import { exabgp } from "./exabgp.ts";
import { frr } from "./frr.ts";
import { gobgp } from "./gobgp.ts";
import type { Program } from "./program.ts";

export const programs: readonly Program[] = [bird, frr, gobgp, exabgp];
