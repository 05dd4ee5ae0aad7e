/** What the demo found, as `--json` writes it. */

export interface ChangeFacts {
  readonly from: string;
  readonly to: string;
  readonly sent: number;
  readonly lost: number;
  readonly reordered: number;
  readonly maxGapMs: number;
  /** From the operator's command until every node had moved. */
  readonly convergedMs: number;
  readonly tcpResets: number;
  readonly tcpRetransmits: number;
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
  readonly modes: readonly ModeFacts[];
}
