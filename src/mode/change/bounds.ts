/**
 * How long a change waits for what, before it goes back or ends without it. All are generous: they are for nodes
 * that will not come, not for slow ones. Measured by the driver's monotonic clock from when it first saw
 * the phase with these orders; a driver that takes over counts anew.
 */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

export const waitsMs = {
  /** For every node to be where the pool is before anything begins. */
  settled: MINUTE,
  /** For hosts to say that what stood against it is over: they say how they are five seconds late at most. */
  hostsSay: 6 * SECOND,
  /** For another change, as a node is probed for one at a time. */
  turn: 2 * HOUR,
  /** For probe addresses, and packets one way. */
  proveFirst: 3 * MINUTE,
  /** For everything else of the proof: 1,000 packets and two transfers with each partner. */
  proveFull: 15 * MINUTE,
  widened: 3 * MINUTE,
  /** For one wave to move and to be quiet. */
  wave: 5 * MINUTE,
  verified: 5 * MINUTE,
  /** For an operator who has said `pause`. */
  paused: 24 * HOUR,
  /** For every node to have realised the pool as it was committed. */
  realised: 15 * MINUTE,
  /** For nodes to be back, and after that to have seen that nothing is ordered any more. */
  back: 5 * MINUTE,
  withdrawn: 2 * MINUTE,
} as const;

/** For `confirmed`, where the change does not say. */
export const CONFIRM_WITHIN_SECONDS = 600;

/** `90 s`, `5 min`, `24 h`. */
export function durationText(ms: number): string {
  if (ms % HOUR === 0) return `${ms / HOUR} h`;
  if (ms % MINUTE === 0) return `${ms / MINUTE} min`;
  return `${Math.round(ms / SECOND)} s`;
}
