/**
 * How large packets running pods may send, and how large ones they take, while MTUs change: the gate's
 * "accept first, then send" (gate.ts), for sizes. Pure.
 *
 *     mode needs less    pods send less at once, before a route moves;
 *                        they take less when every node says that its pods send no more than that
 *     mode allows more   pods take more at once; they send more when every node says that its pods take it
 *
 * A node says that it may send more before its pods do, and that it takes less before its pods do, and
 * acts on what the others say after its own words can be read: of two that race one sees the other.
 */

export interface SaidMtu {
  readonly host: number;
  readonly sends: number;
  readonly accepts: number;
}

export interface PodMtuInput {
  /** What fits into every encapsulation this node may meet now. */
  readonly wanted: number;
  /** MTU of the host's network. */
  readonly host: number;
  /** The largest MTU of a pod's device here; undefined without pods. */
  readonly held: number | undefined;
  /** This node's last word; undefined while that is not certain, or before it has said anything. */
  readonly said: SaidMtu | undefined;
  readonly others: readonly SaidMtu[];
  readonly nowMs: number;
  /** How long a packet may be on its way. */
  readonly drainMs: number;
  /** As returned by the step before. */
  readonly quietSinceMs: number | undefined;
}

export interface PodMtuOutput {
  /** Absent: pods stay as they are, since nobody knows what others have been told of them. */
  readonly limits?: { readonly send: number; readonly accept: number };
  /** To be said when the kernel holds the above. */
  readonly tell: SaidMtu;
  /** Since when nobody sends what is not to be taken any more. */
  readonly quietSinceMs: number | undefined;
  readonly wakeAtMs: number | undefined;
}

export function stepPodMtu(input: PodMtuInput): PodMtuOutput {
  const { wanted, host, held, said, others } = input;
  const mostSent = Math.max(...others.map(({ sends }) => sends), 0);
  // What this host's own network cannot bring it need not take.
  const acceptTarget = Math.max(wanted, Math.min(host, mostSent));
  if (said === undefined) {
    // No pod sends more than its device takes.
    const tell = {
      sends: Math.max(wanted, held ?? 0),
      accepts: Math.min(held ?? acceptTarget, acceptTarget),
    };
    return { tell: { host, ...tell }, quietSinceMs: undefined, wakeAtMs: undefined };
  }
  const { accept, quietSinceMs } = stepAccept({ ...input, said }, acceptTarget);
  // A node that already takes what its network brings is waited for no longer: path MTU discovery is its
  // peers' way to it, as in any network of unequal links.
  const late = others.filter((other) => other.accepts < Math.min(wanted, other.host));
  const sendTarget = Math.min(wanted, ...late.map(({ accepts }) => accepts));
  return {
    // More only after others could read that it may.
    limits: { send: Math.min(sendTarget, said.sends), accept },
    tell: { host, sends: wanted, accepts: Math.min(accept, acceptTarget) },
    quietSinceMs,
    wakeAtMs: quietSinceMs === undefined ? undefined : quietSinceMs + input.drainMs,
  };
}

function stepAccept(
  { held, said, nowMs, drainMs, quietSinceMs: before }: PodMtuInput & { readonly said: SaidMtu },
  target: number,
): { accept: number; quietSinceMs: number | undefined } {
  if (held === undefined || held <= target) return { accept: target, quietSinceMs: undefined };
  // Until it can be read that we take less, somebody may still begin to send more.
  if (said.accepts > target) return { accept: held, quietSinceMs: undefined };
  const quietSinceMs = before ?? nowMs;
  if (nowMs - quietSinceMs < drainMs) return { accept: held, quietSinceMs };
  return { accept: target, quietSinceMs: undefined };
}
