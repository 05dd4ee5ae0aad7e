/**
 * Answers `GET /bgp/…` about a speaker: the same for the agent of a node and for `bgpd`. Long answers
 * are made piece by piece as they are taken, so that nothing waits for half a million routes.
 */

import {
  errorText,
  formatAddress,
  hasCode,
  type Ipv4,
  maskPrefix,
  type Prefix,
  parseAddress,
  parsePrefixOrAddress,
} from "../../lib/index.ts";
import type { PeerDetails, RouteQuery, Speaker } from "../index.ts";
import type { PeersDocument, RouteTable } from "./documents.ts";
import { messageDocument } from "./message-words.ts";
import { type DumpEnds, mrtRecord } from "./mrt.ts";
import { PcapWriter, pcapHeader } from "./pcap.ts";
import { peerDocument, refusedDocument } from "./peer-document.ts";
import { routeDocument, whyDocument } from "./route-document.ts";

export type SpeakerView = Pick<
  Speaker,
  "details" | "refused" | "messages" | "why" | "locRib" | "adjRibIn" | "adjRibOut"
>;

export interface BgpSource {
  readonly localAs: number;
  readonly routerId: Ipv4;
  readonly speaker: SpeakerView;
  /** Why the configuration as it is written is not what is done. */
  readonly configurationError?: string;
  /** Why somebody is a peer, by its name. */
  typeOf?(peer: string): string | undefined;
}

export interface BgpAnswer {
  readonly code: number;
  readonly type: string;
  /** In pieces; each is made when it is asked for. */
  readonly body: string | Iterable<string | Uint8Array>;
}

/** So many peers are named to who asked for one that is none. */
const NAMED = 8;

const PATHS = "/bgp/peers /bgp/routes /bgp/why /bgp/messages";

/** `path` begins with `/bgp/`; `undefined` instead of a source while nothing is spoken. */
export function answerBgp(path: string, source: BgpSource | undefined): BgpAnswer {
  if (source === undefined) return text(503, "no BGP is spoken yet");
  const { pathname, searchParams } = new URL(path, "http://bgp");
  const ask = (name: string) => searchParams.get(name) ?? undefined;
  try {
    switch (pathname) {
      case "/bgp/peers":
        return json(peersDocument(source, ask("peer")));
      case "/bgp/routes":
        return routes(source, ask);
      case "/bgp/why":
        return json(whyDocument(source.speaker.why(prefixFrom(ask("prefix") ?? ""))));
      case "/bgp/messages":
        return messages(source, ask);
      default:
        return text(404, `paths: ${PATHS}`);
    }
  } catch (error) {
    if (error instanceof BadQuery) return text(400, error.message);
    if (hasCode(error, "RESOURCE_NOT_FOUND")) return text(404, errorText(error));
    throw error;
  }
}

class BadQuery extends Error {}

type Ask = (name: string) => string | undefined;

function peersDocument(source: BgpSource, peer: string | undefined): PeersDocument {
  const { localAs, routerId, speaker } = source;
  const found = peer === undefined ? speaker.details() : [named(source, peer)];
  const peers = found.map((one) => peerDocument(one, source.typeOf?.(one.name)));
  const refused = refusedDocument(speaker.refused());
  return {
    ...{ localAs, routerId: formatAddress(routerId) },
    ...(source.configurationError && { configurationError: source.configurationError }),
    ...{ peers, refused },
  };
}

/** By its name, or by its address. */
function named({ speaker }: BgpSource, peer: string): PeerDetails {
  const [found] = speaker.details(peer);
  if (found) return found;
  const address = parseAddress(peer);
  const other = speaker.details().find((one) => one.address === address);
  if (other) return other;
  const names = speaker.details().map(({ name }) => name);
  const known = names.length > NAMED ? [...names.slice(0, NAMED), "…"] : names;
  const list = known.length === 0 ? "there are none" : `there are ${known.join(", ")}`;
  throw new BadQuery(`no BGP peer has the name or the address ${peer}: ${list}`);
}

function routes(source: BgpSource, ask: Ask): BgpAnswer {
  const table = oneOf("table", ask("table") ?? "best", ["best", "in", "out"]);
  const peer = ask("peer");
  const peers = peer === undefined ? undefined : named(source, peer).name;
  return {
    code: 200,
    type: "application/x-ndjson",
    body: routeLines(source, { table, query: queryFrom(ask), ...(peers && { peer: peers }) }),
  };
}

interface Wanted {
  readonly table: RouteTable;
  readonly query: RouteQuery | undefined;
  readonly peer?: string;
}

/** A page of routes at a time, each route a line of JSON. */
function* routeLines({ speaker }: BgpSource, { table, query, peer }: Wanted): Generator<string> {
  if (table === "best") {
    for (const page of speaker.locRib(query)) {
      const wanted = peer === undefined ? page : page.filter((route) => route.peer === peer);
      yield lines(wanted.map((route) => routeDocument(route, { table, peer: route.peer })));
    }
    return;
  }
  const names = peer === undefined ? speaker.details().map(({ name }) => name) : [peer];
  for (const name of names) {
    // Its turn comes late: it may be gone.
    if (speaker.details(name).length === 0) continue;
    const pages = table === "in" ? speaker.adjRibIn(name, query) : speaker.adjRibOut(name, query);
    for (const page of pages) {
      yield lines(page.map((route) => routeDocument(route, { table, peer: name })));
    }
  }
}

function lines(documents: readonly unknown[]): string {
  return documents.map((one) => `${JSON.stringify(one)}\n`).join("");
}

function queryFrom(ask: Ask): RouteQuery | undefined {
  const prefix = ask("prefix");
  if (prefix === undefined) return undefined;
  const match = oneOf("match", ask("match") ?? "exact", ["exact", "within", "covering"]);
  return { prefix: prefixFrom(prefix), match };
}

function prefixFrom(words: string): Prefix {
  const prefix = parsePrefixOrAddress(words);
  if (prefix) return maskPrefix(prefix);
  throw new BadQuery(`${JSON.stringify(words)} is neither a prefix nor an address`);
}

function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value);
  if (found) return found;
  throw new BadQuery(`${name} is one of ${allowed.join(", ")}, not ${JSON.stringify(value)}`);
}

function messages(source: BgpSource, ask: Ask): BgpAnswer {
  const format = oneOf("format", ask("format") ?? "json", ["json", "mrt", "pcap"]);
  const peer = named(source, ask("peer") ?? "");
  const kept = source.speaker.messages(peer.name);
  const ends: DumpEnds = {
    peerAs: peer.remoteAs,
    localAs: peer.localAs,
    peerAddress: peer.address,
    port: peer.port,
  };
  switch (format) {
    case "json":
      return {
        code: 200,
        type: "application/x-ndjson",
        body: pieces(kept, (one) => lines([messageDocument(one)])),
      };
    case "mrt":
      return binary(pieces(kept, (one) => mrtRecord(one, ends)));
    case "pcap": {
      const writer = new PcapWriter(ends);
      const packets = pieces(kept, (one) => joined(writer.packets(one)));
      return binary(chained(pcapHeader(), packets));
    }
  }
}

function* pieces<T, R>(items: readonly T[], make: (item: T) => R): Generator<R> {
  for (const item of items) yield make(item);
}

function* chained(first: Uint8Array, rest: Iterable<Uint8Array>): Generator<Uint8Array> {
  yield first;
  yield* rest;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

const binary = (body: Iterable<Uint8Array>): BgpAnswer => ({
  ...{ code: 200, type: "application/octet-stream", body },
});

const json = (value: unknown): BgpAnswer => ({
  ...{ code: 200, type: "application/json", body: `${JSON.stringify(value)}\n` },
});

const text = (code: number, words: string): BgpAnswer => ({
  ...{ code, type: "text/plain", body: `${words}\n` },
});
