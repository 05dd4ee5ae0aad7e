/** What the data of a NOTIFICATION says in words, where an RFC defines it. Pure and total: a peer sent it. */

import { hexText, readUint16, readUint32 } from "./bytes.ts";
import { attributeName, capabilityName, familyName, messageTypeName } from "./names.ts";
import { describeNotification, type Notification } from "./notification.ts";

/** So much of it is shown: a peer decides how much there is. */
const SHOWN = 16;

/** `describeNotification`, and what the data says beyond the operator's words. */
export function explainNotification(message: Notification): string {
  const words = notificationDataWords(message);
  const said = describeNotification(message);
  return words === "" ? said : `${said}: ${words}`;
}

type Reader = (data: Uint8Array) => string | undefined;

/** By code and subcode; `undefined` from a reader: the data is not what the RFC says. */
const readers: Readonly<Record<string, Reader>> = {
  // RFC 4271 section 6.1.
  "1/2": (data) => (data.length === 2 ? `length ${readUint16(data, 0)}` : undefined),
  "1/3": (data) => (data.length === 1 ? `type ${data[0]}` : undefined),
  // Section 6.2: the largest version it has instead.
  "2/1": (data) => (data.length === 2 ? `it speaks version ${readUint16(data, 0)}` : undefined),
  "2/7": capabilities,
  // Section 6.3: the attribute as it came.
  "3/2": attribute,
  "3/3": (data) => (data.length === 1 ? attributeName(data[0]!) : undefined),
  "3/4": attribute,
  "3/5": attribute,
  "3/6": attribute,
  "3/8": attribute,
  "3/9": attribute,
  // RFC 6608 section 3.
  "5/1": messageType,
  "5/2": messageType,
  "5/3": messageType,
  "6/1": maximumPrefixes,
};

function notificationDataWords({ code, subcode, data }: Notification): string {
  if (data.length === 0 || saidAlready(code, subcode)) return "";
  return readers[`${code}/${subcode}`]?.(data) ?? `data ${hex(data)}`;
}

/** Shutdown communication and hard reset: `describeNotification` has them. */
function saidAlready(code: number, subcode: number): boolean {
  return code === 6 && (subcode === 2 || subcode === 4 || subcode === 9);
}

/** RFC 5492 section 5: those it misses, as they stand in an OPEN. */
function capabilities(data: Uint8Array): string | undefined {
  const names: string[] = [];
  for (let at = 0; at < data.length; ) {
    const length = data[at + 1];
    if (length === undefined || at + 2 + length > data.length) return undefined;
    const value = data.subarray(at + 2, at + 2 + length);
    names.push(capabilityWords(data[at]!, value));
    at += 2 + length;
  }
  const more = names.length > SHOWN ? " and more" : "";
  return `it misses ${names.slice(0, SHOWN).join(", ")}${more}`;
}

function capabilityWords(code: number, value: Uint8Array): string {
  const name = capabilityName(code);
  if (code !== 1 || value.length !== 4) return name;
  return `${name} for ${familyName({ afi: readUint16(value, 0), safi: value[3]! })}`;
}

function attribute(data: Uint8Array): string | undefined {
  const [flags, type] = data;
  if (flags === undefined || type === undefined) return undefined;
  const flagsText = `flags 0x${flags.toString(16).padStart(2, "0")}`;
  return `${attributeName(type)} with ${flagsText}, ${hex(data)}`;
}

function messageType(data: Uint8Array): string | undefined {
  return data.length === 1 ? messageTypeName(data[0]!) : undefined;
}

/** RFC 4486 section 4. */
function maximumPrefixes(data: Uint8Array): string | undefined {
  if (data.length !== 7) return undefined;
  const family = familyName({ afi: readUint16(data, 0), safi: data[2]! });
  return `at most ${readUint32(data, 3)} prefixes of ${family}`;
}

function hex(data: Uint8Array): string {
  return hexText(data, SHOWN);
}
