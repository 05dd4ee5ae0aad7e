/** Answer of `GET /status` of bgpd. */

export interface BgpdStatus {
  readonly version: string;
  readonly pid: number;
  readonly startedAt: string;
  readonly file: string;
  readonly loadedAt: string;
  /** Why the file as it is now was not taken; empty where it was. */
  readonly reloadError: string;
  /** Nothing more is expected to be learned of what the network knew before. */
  readonly converged: boolean;
}
