/**
 * The error catalogue. Each error has a stable code, says what was attempted, on what and what was
 * answered (`message`), and what to do about it (`hint`). Callers match on `code`, never on text.
 * Codes are documented in docs/reference/errors.md; a test keeps both in step.
 */

export interface ErrorDefinition {
  /** What the operator can do. One sentence. */
  readonly hint: string;
}

/** Every code this product can raise, with what to do. Codes are never reused or renamed. */
export const errorCatalogue = {
  INVALID_ARGUMENT: { hint: "Correct the argument named in the message." },
  NETLINK_REFUSED: {
    hint: "Read the kernel's words in the message; check privileges and kernel modules.",
  },
  NETLINK_DUMP_INTERRUPTED: { hint: "The table changed while it was read; read it again." },
  NETLINK_OVERRUN: { hint: "Events were lost; read the tables again." },
  NETLINK_MALFORMED: {
    hint: "The kernel sent what this version cannot read; report it with the bytes shown.",
  },
  SYSTEM_CALL_FAILED: {
    hint: "Check privileges (root or CAP_NET_ADMIN) and the path or object named.",
  },
  BPF_LOAD_FAILED: {
    hint: "Check that libbpf.so.1 is installed (it comes with iproute2) and that the kernel allows BPF.",
  },
  COMMAND_FAILED: { hint: "Run the command shown by hand to see why it fails." },
  PREREQUISITE_MISSING: { hint: "Install what the message names, or run as root." },
  RESOURCE_NOT_FOUND: { hint: "Check the name, or list what exists." },
  RESOURCE_ALREADY_EXISTS: { hint: "Choose another name, or replace what exists." },
  RESOURCE_CONFLICT: { hint: "Somebody changed the object meanwhile; read it again and repeat." },
  RESOURCE_INVALID: { hint: "Correct the field named in the message." },
  OPERATION_NOT_SUPPORTED: { hint: "This object cannot be changed this way." },
  WATCH_EXPIRED: { hint: "The revision is too old; list again and watch from there." },
  SOCKET_UNUSABLE: {
    hint: "End the process that listens there, or choose another path or state directory.",
  },
  DATASTORE_UNAVAILABLE: { hint: "Check that the server runs and its socket can be reached." },
  BGP_CONNECTION_REFUSED: {
    hint: "See spec.ttlSecurity of the BGPPeer, and who dials from there.",
  },
  BGP_MALFORMED: { hint: "The peer sent what the protocol forbids; see its log." },
  IPAM_EXHAUSTED: { hint: "Add an IPPool, or release addresses." },
  IPAM_NO_POOL: {
    hint: "Check that an IPPool is enabled, selects the node and allows this use.",
  },
  IPAM_BLOCK_LIMIT: {
    hint: "Raise maxBlocksPerHost in the IPAMConfiguration, or release addresses of the node.",
  },
  IPAM_STRICT_AFFINITY: {
    hint: "Ask for an address of the node's own blocks, or turn strictAffinity off.",
  },
  AGENT_NOT_READY: {
    hint: "Look at `switchyard node status`: it says what the agent waits for.",
  },
  MODE_CHANGE_TOO_LATE: {
    hint: "Look at the change with `switchyard get modechange NAME -o yaml`; ask for a new one to go elsewhere.",
  },
  LAB_FAILED: { hint: "Run `switchyard lab down`, then `lab up` again." },
} as const satisfies Record<string, ErrorDefinition>;

export type ErrorCode = keyof typeof errorCatalogue;

export interface SwitchyardErrorOptions {
  readonly cause?: unknown;
  /** Machine-readable facts: the object, the answer, the path of a field. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export class SwitchyardError extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: SwitchyardErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "SwitchyardError";
    this.code = code;
    this.details = options.details ?? {};
  }

  get hint(): string {
    return errorCatalogue[this.code].hint;
  }
}

export function hasCode(error: unknown, code: ErrorCode): error is SwitchyardError {
  return error instanceof SwitchyardError && error.code === code;
}

/** Text of anything that was thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
