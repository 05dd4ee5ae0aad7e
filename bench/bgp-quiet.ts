/**
 * Watches the keepalives of the subject on a session on which nothing else is said, in a thread of its
 * own, so that the traffic does not keep it from its work. Asked for the longest time between two, it
 * waits for the one that is due.
 */

import { parentPort, workerData } from "node:worker_threads";
import type { BgpCase } from "./bgp-cases.ts";
import { addressOf, QUIET, QUIET_HOLD_SECONDS, quietFamily } from "./bgp-peers.ts";
import { establish } from "./bgp-session.ts";
import { openOf } from "./bgp-wire.ts";

/**
 * Much more often than agreed on: BIRD 2.0 may sleep for three seconds over routes that wait to be sent
 * unless something arrives. Every subject is woken alike.
 */
const PROD_MS = 20;

let lastMs = 0;
let longestMs = 0;
let asked = false;

function heard(): void {
  const nowMs = performance.now();
  longestMs = Math.max(longestMs, nowMs - lastMs);
  lastMs = nowMs;
  if (!asked) return;
  asked = false;
  parentPort!.postMessage({ longestMs });
  longestMs = 0;
}

if (parentPort) {
  const over = "ipv4-unicast";
  const family = quietFamily(workerData as BgpCase);
  await establish({
    address: addressOf(QUIET, over),
    family: over,
    open: openOf(QUIET, { family, holdTimeSeconds: QUIET_HOLD_SECONDS }),
    onMessage: heard,
    keepaliveMs: PROD_MS,
  });
  lastMs = performance.now();
  parentPort.on("message", (order: "begin" | "end") => {
    // Only what falls into the step: the keepalive before it may have been late by itself.
    if (order === "begin") longestMs = 0;
    else asked = true;
  });
  parentPort.postMessage("ready");
}
