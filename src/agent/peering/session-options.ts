/** What a BGPPeer, or the mesh's settings, say of the session itself, as the speaker takes it. Pure. */

import type { PeerConfig } from "../../bgp/index.ts";
import type { SpecOf } from "../../model/index.ts";

/** The value, or why there is none. */
export type SecretReader = (reference: SecretReference) => { value?: string; problem?: string };

export interface SecretReference {
  readonly name: string;
  readonly key: string;
}

export type SessionSettings = Pick<
  SpecOf<"BGPPeer">,
  "password" | "ttlSecurity" | "maxRestartTime"
>;

/** RFC 2385 as Linux has it. */
const MAXIMUM_PASSWORD_BYTES = 80;
/** RFC 4724 section 3: twelve bits. */
const MAXIMUM_RESTART_SECONDS = 4095;

export function sessionOptions(
  settings: SessionSettings,
  context: {
    /** Whose settings these are, for problems: `BGPPeer tor`. */
    readonly object: string;
    readonly secret: SecretReader;
    readonly problems: string[];
  },
): Pick<PeerConfig, "password" | "ttlSecurityHops" | "restartTimeSeconds"> {
  const key = password(settings, context);
  const restart = seconds(settings.maxRestartTime);
  const { ttlSecurity } = settings;
  return {
    ...(key !== undefined && { password: key }),
    // Calico's 0 hops would let nobody in; it is taken for off.
    ...(ttlSecurity && { ttlSecurityHops: ttlSecurity }),
    ...(restart !== undefined && {
      restartTimeSeconds: Math.min(restart, MAXIMUM_RESTART_SECONDS),
    }),
  };
}

/** As with Calico, a password that cannot be had leaves a session without one, and is said aloud. */
function password(
  { password: field }: SessionSettings,
  { object, secret, problems }: Parameters<typeof sessionOptions>[1],
): string | undefined {
  const reference = field?.secretKeyRef;
  if (reference === undefined) return undefined;
  const { name = "", key, optional } = reference;
  const { value, problem } = secret({ name, key });
  const { length } = new TextEncoder().encode(value);
  const tooLong = length > MAXIMUM_PASSWORD_BYTES;
  const why = tooLong ? `${length} bytes; TCP MD5 takes ${MAXIMUM_PASSWORD_BYTES}` : problem;
  if (why !== undefined && !(optional && value === undefined)) {
    const without = value === undefined || tooLong ? "; peering without a password" : "";
    problems.push(`${object}: password ${name}/${key}: ${why}${without}`);
  }
  return tooLong ? undefined : value;
}

/** Whole seconds of a Go duration (`90s`, `1m30s`). */
export function seconds(duration: string | undefined): number | undefined {
  if (!duration) return undefined;
  const units: Record<string, number> = { h: 3600, m: 60, s: 1, ms: 0.001 };
  let total = 0;
  for (const [, digits, unit] of duration.matchAll(/([0-9.]+)(ms|h|m|s)/g)) {
    total += Number(digits) * (units[unit ?? ""] ?? 0);
  }
  return Math.round(total);
}
