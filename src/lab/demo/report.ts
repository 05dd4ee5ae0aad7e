/** What the demo found, as `--json` writes it. */

/** What the traffic between pods met. */
export interface ProbeFacts {
  readonly sent: number;
  readonly lost: number;
  readonly reordered: number;
  readonly maxGapMs: number;
  readonly tcpResets: number;
  readonly tcpRetransmits: number;
}

/** A plain patch of the pool. */
export interface ChangeFacts extends ProbeFacts {
  readonly from: string;
  readonly to: string;
  /** From the operator's command until every node had moved. */
  readonly convergedMs: number;
}

/** A `mode change`. */
export interface ModeChangeFacts extends ProbeFacts {
  readonly from: string;
  readonly to: string;
  /** `done`, `refused`, … as `mode show -o json` says it. */
  readonly result: string;
  readonly reason: string;
  readonly durationMs: number;
  readonly phases: readonly { readonly phase: string; readonly durationMs: number }[];
}

export interface RoundTripFacts {
  readonly p50Us: number;
  readonly p99Us: number;
}

export interface PathPair<T> {
  readonly sameSubnet: T;
  readonly crossSubnet: T;
}

export interface ModeFacts {
  readonly mode: string;
  readonly nextHopDevices: readonly string[];
  /** Bytes of the largest packet that arrives unfragmented. */
  readonly pathMtu: PathPair<number>;
  readonly rtt: PathPair<RoundTripFacts>;
  readonly throughputGbps: PathPair<number>;
}

export interface DemoReport {
  readonly changes: readonly ChangeFacts[];
  readonly modeChanges: readonly ModeChangeFacts[];
  readonly modes: readonly ModeFacts[];
}
