/** What a kept message says, in a line. Total: it may be one that ended the session. */

import { errorText, formatAddress, formatPrefix } from "../../lib/index.ts";
import type { KeptMessage } from "../index.ts";
import {
  AttributeTable,
  asPathNumbers,
  type Capability,
  decodeNotification,
  decodeOpen,
  decodeRouteRefresh,
  decodeUpdate,
  explainNotification,
  familyName,
  messageType,
  messageTypeName,
  type PrefixKey,
  prefixOfKey,
  type Update,
} from "../wire/index.ts";
import type { MessageDocument } from "./documents.ts";

/** So many prefixes of a message are named. */
const NAMED = 4;
/** The sender decides how much there is to say. */
const LONGEST_WORDS = 400;

export function messageDocument(message: KeptMessage): MessageDocument {
  const { atMs, sent, connection, bytes } = message;
  return {
    at: new Date(atMs).toISOString(),
    sent,
    connection: connection.id,
    incoming: connection.incoming,
    type: messageTypeName(bytes[18]!),
    bytes: bytes.length,
    words: shortened(messageWords(message)),
    hex: Buffer.from(bytes).toString("hex"),
  };
}

function shortened(words: string): string {
  return words.length <= LONGEST_WORDS ? words : `${words.slice(0, LONGEST_WORDS)}…`;
}

function messageWords({ bytes, connection: { reading }, sent }: KeptMessage): string {
  try {
    switch (bytes[18]) {
      case messageType.open: {
        const { as, holdTimeSeconds, routerId, capabilities } = decodeOpen(bytes);
        const able = capabilities.map(capabilityWords).join(", ");
        return `AS ${as}, hold time ${holdTimeSeconds} s, identifier ${formatAddress(routerId)}; ${able}`;
      }
      case messageType.update:
        return updateWords(
          decodeUpdate(bytes, {
            fourOctetAs: reading.fourOctetAs,
            extendedNextHop: reading.extendedNextHop,
            addPathReceive: sent ? reading.addPathSend : reading.addPathReceive,
            // Of an internal peer nothing is left out.
            peerType: "ibgp",
            table: new AttributeTable(),
          }),
        );
      case messageType.notification:
        return explainNotification(decodeNotification(bytes));
      case messageType.routeRefresh: {
        const refresh = decodeRouteRefresh(bytes);
        return `${refresh.subtype} ${familyName(refresh)}`;
      }
      default:
        return "";
    }
  } catch (error) {
    return errorText(error);
  }
}

function capabilityWords(capability: Capability): string {
  switch (capability.kind) {
    case "multiprotocol":
      return familyName(capability);
    case "unknown":
      return `capability ${capability.code}`;
    case "role":
      return `role ${capability.role}`;
    case "graceful-restart":
      return `graceful-restart ${capability.restartTimeSeconds} s${capability.restarted ? " (has restarted)" : ""}`;
    default:
      return capability.kind;
  }
}

function updateWords({ withdrawn, reach, endOfRib, treatedAsWithdraw, discarded }: Update): string {
  if (endOfRib) return `End-of-RIB ${endOfRib}`;
  const parts = reach.map(({ attributes, keys }) => {
    const path = asPathNumbers(attributes.asPath);
    const via = `via ${formatAddress(attributes.nextHop)}`;
    return `+${prefixesText(keys)} ${via}${path.length > 0 ? ` path ${path.join(" ")}` : ""}`;
  });
  if (withdrawn.length > 0) parts.push(`-${prefixesText(withdrawn)}`);
  if (treatedAsWithdraw !== undefined) parts.push(`malformed: ${treatedAsWithdraw}`);
  if (discarded.length > 0) parts.push(`left out: ${discarded.join(", ")}`);
  return parts.join("; ");
}

function prefixesText(keys: readonly PrefixKey[]): string {
  const named = keys.slice(0, NAMED).map((key) => formatPrefix(prefixOfKey(key)));
  const more = keys.length > NAMED ? `, and ${keys.length - NAMED} more` : "";
  return `${keys.length} ${named.join(", ")}${more}`;
}
