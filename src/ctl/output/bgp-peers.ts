/** `bgp peers` as text. */

import type { PeerDocument, PeersDocument } from "../../bgp/view/index.ts";
import { endText, lengthText } from "./bgp-history.ts";
import { sinceText } from "./since.ts";
import { formatTable } from "./table.ts";

const USUAL_OPEN_MS = 3000;

interface Look {
  readonly wide: boolean;
  readonly nowMs: number;
}

export function renderPeers(document: PeersDocument, look: Look): string {
  const { localAs, routerId, peers, configurationError } = document;
  const old = configurationError
    ? `The file was changed and not taken:\n${configurationError}\n`
    : "";
  const up = peers.filter(({ state }) => state === "Established").length;
  const sessions = `${up} of ${peers.length} Established`;
  const head = `Local AS ${localAs}, router id ${routerId}, ${sessions}\n${old}${refusedText(document, look)}${signaturesText(document)}`;
  if (peers.length === 0) return `${head}No BGP peers are configured.\n`;
  const columns = look.wide ? [...ordinary, ...more] : ordinary;
  const table = formatTable(
    columns.map(([heading]) => heading),
    peers.map((peer) => columns.map(([, cell]) => cell(peer, look.nowMs))),
  );
  const lines = table
    .trimEnd()
    .split("\n")
    .map((line) => line.trimEnd());
  const history = look.wide ? peers.map((peer) => historyOf(peer, look.nowMs)).join("") : "";
  return `${head}${lines.join("\n")}\n${history}`;
}

/** A peer that is not configured here, or with another address. */
function refusedText({ refused: { total, recent } }: PeersDocument, { nowMs }: Look): string {
  if (total === 0) return "";
  const last = recent.map(({ address, last: at }) => `${address} at ${sinceText(at, nowMs)}`);
  return `Refused connections from addresses that are no peer's: ${total}, the last from ${last.join(", ")}\n`;
}

/** The kernel does not say whose they were. */
function signaturesText({ refused: { signatures } }: PeersDocument): string {
  if (signatures === undefined) return "";
  const { wrong, missing, unexpected } = signatures;
  const parts = [
    wrong > 0 ? `${wrong} of another password` : "",
    missing > 0 ? `${missing} without one where a password is set` : "",
    unexpected > 0 ? `${unexpected} with one where no password is set` : "",
  ].filter(Boolean);
  if (parts.length === 0) return "";
  return `Packets dropped for their TCP MD5 signature since the start: ${parts.join(", ")}\n`;
}

type Column = readonly [heading: string, cell: (peer: PeerDocument, nowMs: number) => string];

const ordinary: readonly Column[] = [
  ["PEER", ({ address }) => address],
  ["NAME", ({ name }) => name],
  ["AS", ({ remoteAs }) => `${remoteAs}`],
  ["STATE", ({ state }) => state],
  ["SINCE", ({ since }, nowMs) => sinceText(since, nowMs)],
  ["RECEIVED", ({ routes }) => `${routes.received}`],
  ["ACCEPTED", ({ routes }) => `${routes.accepted}`],
  ["SENT", ({ routes }) => `${routes.sent}`],
  ["INFO", infoOf],
];

const more: readonly Column[] = [
  ["TYPE", ({ type, session }) => [type, session?.peerType].filter(Boolean).join(", ")],
  ["LOCAL AS", ({ localAs }) => `${localAs}`],
  ["ROUTER ID", ({ session }) => session?.routerId ?? ""],
  ["HOLD", ({ session }) => (session ? `${session.holdTimeSeconds}s` : "")],
  ["HEARD", heardOf],
  ["BFD", ({ bfd }) => [bfd?.state, bfd?.diagnostic].filter(Boolean).join(": ")],
  ["WAITING", ({ routes }) => `${routes.waiting}`],
  ["UPDATES IN/OUT", ({ messages: { received, sent } }) => `${received.update}/${sent.update}`],
  ["BYTES IN/OUT", ({ messages: { received, sent } }) => `${received.bytes}/${sent.bytes}`],
  ["MALFORMED", ({ malformed }) => `${malformed}`],
  ["SESSIONS", ({ sessionsEstablished }) => `${sessionsEstablished}`],
  ["FAMILIES", ({ session }) => session?.families.join(",") ?? ""],
];

/** Why it is down, in short; of one that is up, what is still to come. */
function infoOf(peer: PeerDocument, nowMs: number): string {
  const { state, session, keptForRestart, keptForLonger } = peer;
  if (state === "Established") return session?.endOfRib ? "" : "no End-of-RIB yet";
  const parts = [
    whyDown(peer),
    hearsNothing(peer, nowMs) ? "connected, and no OPEN comes" : "",
    keptForLonger ? "routes kept as a last resort" : "",
    keptForRestart && !keptForLonger ? "routes kept for its restart" : "",
  ];
  return parts.filter(Boolean).join("; ");
}

/** What ended the session, and why there is none since: attempts fail by other things than that. */
function whyDown({ history, lastError, passive }: PeerDocument): string {
  const [latest] = history;
  if (latest === undefined) return lastError || (passive ? "waits to be dialled" : "");
  const ended = history.find(({ establishedSeconds }) => establishedSeconds !== undefined);
  if (ended === undefined || ended.name === latest.name) return latest.name;
  return `${ended.name}, then ${latest.name}`;
}

/** Its kernel takes connections, and whoever should speak does not. */
function hearsNothing({ state, since }: PeerDocument, nowMs: number): boolean {
  return state === "OpenSent" && nowMs - Date.parse(since) > USUAL_OPEN_MS;
}

function heardOf({ lastReceived }: PeerDocument, nowMs: number): string {
  if (lastReceived === undefined) return "never";
  const seconds = Math.max(0, Math.round((nowMs - Date.parse(lastReceived)) / 1000));
  return `${lengthText(seconds)} ago`;
}

function historyOf({ address, name, history, session }: PeerDocument, nowMs: number): string {
  const who = name === address ? address : `${address} (${name})`;
  const able = session ? `  agreed: ${session.capabilities.join(", ")}\n` : "";
  const ends = history.map((end) => `  ${endText(end, { nowMs })}\n`);
  return `\n${who}\n${able}${ends.length > 0 ? ends.join("") : "  no session has ended\n"}`;
}
