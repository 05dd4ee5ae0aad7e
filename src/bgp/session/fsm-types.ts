/** What drives the session state machine, and what it asks for. */

import type { EndedBy, SessionState } from "../types.ts";
import type { Notification, Open, ProtocolError } from "../wire/index.ts";
import type { Negotiated } from "./negotiate.ts";
import type { TcpFailure } from "./words.ts";

export type FsmTimer = "connect-retry" | "delay-open" | "hold" | "keepalive";

export type FsmEvent =
  | { readonly kind: "start"; readonly passive: boolean }
  /** Sends the NOTIFICATION where there is a connection to send it on; without one just closes. */
  | { readonly kind: "stop"; readonly notification?: Notification; readonly why?: string }
  /** RFC 4724 section 5: another connection with the peer takes over; routes are kept meanwhile. */
  | { readonly kind: "replaced"; readonly notification?: Notification }
  | {
      readonly kind: "timer";
      readonly timer: FsmTimer;
      /** With the hold timer: for how long no whole message has come. */
      readonly silentMs?: number;
      /** With it: the TCP MD5 key was changed since, and the other side's may not have been. */
      readonly otherKey?: boolean;
      /** With the connect-retry timer: what to say of a dial that it ends. */
      readonly unanswered?: TcpFailure;
    }
  | { readonly kind: "tcp-connected" }
  | ({ readonly kind: "tcp-failed" } & TcpFailure)
  /** Event 19; 22 where it cannot be read. */
  | { readonly kind: "open"; readonly open: Open | ProtocolError }
  | { readonly kind: "keepalive" }
  | { readonly kind: "update" }
  | { readonly kind: "route-refresh" }
  | { readonly kind: "notification"; readonly notification: Notification }
  | { readonly kind: "protocol-error"; readonly error: ProtocolError };

export type DownCause =
  /** TCP went away, or was given up for a newer connection: routes may be kept (RFC 4724). */
  | "tcp"
  | "notification-sent"
  | "notification-received"
  /** Wanted by this side. */
  | "stopped";

export type FsmAction =
  | { readonly kind: "dial" }
  | { readonly kind: "close" }
  | { readonly kind: "send-open" }
  | { readonly kind: "send-keepalive" }
  | { readonly kind: "send-notification"; readonly notification: Notification }
  /** Without `seconds`, the driver chooses (its backoff). */
  | { readonly kind: "start-timer"; readonly timer: FsmTimer; readonly seconds?: number }
  | { readonly kind: "stop-timers" }
  | { readonly kind: "established"; readonly negotiated: Negotiated }
  | ({
      readonly kind: "down";
      readonly from: SessionState;
    } & Down);

/** Why a session ended, or did not come about. */
export interface Down {
  readonly cause: DownCause;
  readonly by: EndedBy;
  /** One of a bounded number, whatever a peer sends. */
  readonly name: string;
  /** In words. */
  readonly reason: string;
  /** The peer's routes may be kept for it, as far as graceful restart was agreed on. */
  readonly restartable: boolean;
}

export interface FsmState {
  readonly name: SessionState;
  /** In OpenConfirm and Established. */
  readonly negotiated?: Negotiated;
  /** In Connect and Active: there is a connection, and our OPEN is delayed (section 8.1.4). */
  readonly delaying?: true;
}

export interface FsmResult {
  readonly state: FsmState;
  readonly actions: readonly FsmAction[];
}
