/** `bgp peers` as text. */

import type { PeerDocument, PeersDocument } from "../../bgp/view/index.ts";
import { endText, lengthText } from "./bgp-history.ts";
import { sinceText } from "./since.ts";
import { formatTable } from "./table.ts";

interface Look {
  readonly wide: boolean;
  readonly nowMs: number;
}

export function renderPeers(document: PeersDocument, look: Look): string {
  const { localAs, routerId, peers } = document;
  const head = `Local AS ${localAs}, router id ${routerId}\n${refusedText(document, look)}`;
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
function infoOf(peer: PeerDocument): string {
  const { state, history, lastError, session, keptForRestart, keptForLonger, passive } = peer;
  if (state === "Established") return session?.endOfRib ? "" : "no End-of-RIB yet";
  const nothing = passive ? "waits to be dialled" : "";
  const why = history[0]?.name ?? (lastError || nothing);
  if (keptForLonger) return `${why}; routes kept as a last resort`;
  return keptForRestart ? `${why}; routes kept for its restart` : why;
}

function heardOf({ lastReceived }: PeerDocument, nowMs: number): string {
  if (lastReceived === undefined) return "never";
  const seconds = Math.max(0, Math.round((nowMs - Date.parse(lastReceived)) / 1000));
  return `${lengthText(seconds)} ago`;
}

function historyOf({ address, history, session }: PeerDocument, nowMs: number): string {
  const able = session ? `  agreed: ${session.capabilities.join(", ")}\n` : "";
  const ends = history.map((end) => `  ${endText(end, { nowMs })}\n`);
  return `\n${address}\n${able}${ends.length > 0 ? ends.join("") : "  no session has ended\n"}`;
}
