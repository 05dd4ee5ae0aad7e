/** NLMSG_ERROR: the kernel's refusal (or acknowledgement) of one request, with its own words. */

import { hasCode, SwitchyardError } from "../lib/index.ts";
import { errnoName, errnoText } from "../lib/sys/index.ts";
import { attributeTable } from "./attribute.ts";
import { text, u32 } from "./codecs.ts";
import { NLM_F_ACK_TLVS, NLM_F_CAPPED } from "./constants.ts";
import { malformed } from "./malformed.ts";
import { HEADER_BYTES, type Message } from "./message.ts";
import type { Request } from "./types.ts";

const extendedAck = attributeTable("NLMSGERR_ATTR", {
  message: [1, "NLMSGERR_ATTR_MSG", text],
  offset: [2, "NLMSGERR_ATTR_OFFS", u32],
  missingType: [5, "NLMSGERR_ATTR_MISS_TYPE", u32],
  missingNest: [6, "NLMSGERR_ATTR_MISS_NEST", u32],
});

export interface KernelAnswer {
  /** Positive errno; 0 is success. */
  readonly errno: number;
  /** NLMSGERR_ATTR_MSG: what the kernel says about it. On success it is a warning. */
  readonly message?: string | undefined;
  /** NLMSGERR_ATTR_OFFS: where in the request, counted from its header. */
  readonly offset?: number | undefined;
  /** NLMSGERR_ATTR_MISS_TYPE: the number of an attribute that must be there. */
  readonly missingType?: number | undefined;
  /** NLMSGERR_ATTR_MISS_NEST: where the attribute is in which it must be; unset at the top. */
  readonly missingNest?: number | undefined;
}

/** Reads an NLMSG_ERROR. @throws NETLINK_MALFORMED. */
export function decodeKernelAnswer({ view, start, end, flags }: Message): KernelAnswer {
  if (end - start < 4 + HEADER_BYTES) throw malformed("short NLMSG_ERROR", view, start, end);
  const errno = -view.getInt32(start, true);
  if (errno < 0) throw malformed("positive error in NLMSG_ERROR", view, start, end);
  if ((flags & NLM_F_ACK_TLVS) === 0) return { errno };
  // Unless capped, the request is quoted whole before the attributes.
  const quoted = (flags & NLM_F_CAPPED) !== 0 ? HEADER_BYTES : view.getUint32(start + 4, true);
  const attributes = start + 4 + Math.ceil(quoted / 4) * 4;
  if (quoted < HEADER_BYTES || attributes > end) {
    throw malformed(`NLMSG_ERROR quotes ${quoted} bytes`, view, start, end);
  }
  return { errno, ...extendedAck.decode(view, attributes, end) };
}

/** Reads an NLMSG_DONE: the result of a dump, and since kernel 4.20 its words. @throws NETLINK_MALFORMED. */
export function decodeDumpResult({ view, start, end, flags }: Message): KernelAnswer {
  if (end - start < 4) throw malformed("short NLMSG_DONE", view, start, end);
  const errno = Math.max(0, -view.getInt32(start, true));
  if ((flags & NLM_F_ACK_TLVS) === 0) return { errno };
  return { errno, ...extendedAck.decode(view, start + 4, end) };
}

/**
 * `route add 10.0.0.0/26 via 1.2.3.4: Network is unreachable (RTA_GATEWAY: Nexthop has invalid gateway)`.
 */
export function refusal(request: Request, answer: KernelAnswer): SwitchyardError {
  const { errno, message, offset } = answer;
  const attribute = offendingAttribute(request, answer);
  const missing = answer.missingType === undefined ? "" : " is missing";
  const named = attribute === undefined ? "" : `${attribute}${missing}`;
  const words = [named, message].filter(Boolean).join(": ");
  const reason = words ? `${errnoText(errno)} (${words})` : errnoText(errno);
  return new SwitchyardError("NETLINK_REFUSED", `${request.text}: ${reason}`, {
    details: {
      request: request.text,
      errno: errnoName(errno),
      ...(message ? { kernelMessage: message } : {}),
      ...(attribute === undefined ? {} : { attribute }),
      ...(offset === undefined ? {} : { offset }),
    },
  });
}

/** The path of the attribute the kernel points at, as the tables know it; unset if it points at none. */
function offendingAttribute(request: Request, answer: KernelAnswer): string | undefined {
  const { layout, payload } = request;
  const { offset, missingType, missingNest } = answer;
  const at = missingType === undefined ? offset : missingNest;
  if (layout === undefined) return undefined;
  if (at === undefined) {
    return missingType === undefined ? undefined : layout.table.nameOf(missingType);
  }
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const range = [layout.headerBytes, payload.length] as const;
  try {
    const { path, table } = layout.table.locate(view, range, at - HEADER_BYTES);
    if (missingType === undefined) return path;
    return `${path}.${table?.nameOf(missingType) ?? `#${missingType}`}`;
  } catch (error) {
    // It points into the fixed header, or behind the end: its words must do.
    if (hasCode(error, "NETLINK_MALFORMED")) return undefined;
    throw error;
  }
}

/** True for a refusal with one of these errnos. */
export function isRefusal(error: unknown, errnos: readonly string[]): boolean {
  return hasCode(error, "NETLINK_REFUSED") && errnos.includes(String(error.details.errno));
}
