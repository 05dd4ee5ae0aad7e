/**
 * A watch as a stream of JSON lines. Each event is written out once, however many watch; a reader
 * that does not read is slowed by its socket and finally cut off by the store.
 */

import { once } from "node:events";
import type { FastifyReply, FastifyRequest } from "fastify";
import { type Datastore, statusFromError, type WatchEvent } from "../datastore/index.ts";
import { type Clock, stringifyJson } from "../lib/index.ts";
import { type Kind, kindTable } from "../model/index.ts";
import { type ListFilter, listFilter } from "./list-filter.ts";

export interface WatchStreamOptions {
  readonly store: Datastore;
  readonly clock: Clock;
  /** Ends every stream when the server closes. */
  readonly closing: AbortSignal;
}

/** A quiet watch repeats its bookmark this often, so that both ends see that the other lives. */
const heartbeatMs = 30_000;

const wireTypes = { added: "ADDED", modified: "MODIFIED", deleted: "DELETED" } as const;
const texts = new WeakMap<object, string>();

function objectText(resource: object): string {
  let text = texts.get(resource);
  if (text === undefined) {
    text = stringifyJson(resource);
    texts.set(resource, text);
  }
  return text;
}

function eventLine(event: WatchEvent<Kind>, kind: Kind): string {
  if (event.type === "bookmark") {
    const { apiVersion } = kindTable[kind];
    const metadata = { resourceVersion: event.resourceVersion };
    return `${stringifyJson({ type: "BOOKMARK", object: { kind, apiVersion, metadata } })}\n`;
  }
  return `{"type":"${wireTypes[event.type]}","object":${objectText(event.resource)}}\n`;
}

function first(value: unknown): string | undefined {
  const one = Array.isArray(value) ? value[0] : value;
  return typeof one === "string" && one !== "" ? one : undefined;
}

export async function serveWatch(
  request: FastifyRequest,
  reply: FastifyReply,
  options: WatchStreamOptions & { kind: Kind },
): Promise<FastifyReply> {
  const { store, kind, clock, closing } = options;
  const query = request.query as Record<string, unknown>;
  const { namespace } = request.params as { namespace?: string };
  const bookmarks = first(query.allowWatchBookmarks) === "true";
  const gone = new AbortController();
  const signal = AbortSignal.any([gone.signal, closing]);
  reply.raw.on("close", () => gone.abort());

  const isAsked = listFilter(request.query);
  // Without a revision a Kubernetes watch begins with what exists, as added.
  let resourceVersion = first(query.resourceVersion);
  const existing: WatchEvent<Kind>[] = [];
  if (resourceVersion === undefined || resourceVersion === "0") {
    const list = await store.list(kind, namespace ? { namespace } : {});
    resourceVersion = list.resourceVersion;
    for (const resource of list.items.filter(isAsked)) {
      existing.push({ type: "added", resource });
    }
  }

  const iterator = store.watch(kind, { resourceVersion, signal })[Symbol.asyncIterator]();
  // The first step is taken before the headers, so that an expired revision is an HTTP 410.
  let step = await iterator.next();
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, { "content-type": "application/json", "transfer-encoding": "chunked" });
  raw.flushHeaders();
  let reached = resourceVersion;
  const send = async (event: WatchEvent<Kind>) => {
    reached =
      event.type === "bookmark"
        ? event.resourceVersion
        : (event.resource.metadata.resourceVersion ?? reached);
    if (event.type === "bookmark" ? !bookmarks : isElsewhere(event, namespace)) return;
    const told = selected(event, isAsked);
    if (told === undefined) return;
    if (!raw.write(eventLine(told, kind))) await once(raw, "drain", { signal });
  };
  const beat = () => {
    // Never piled up behind a reader that does not read.
    if (bookmarks && !raw.writableNeedDrain) {
      raw.write(eventLine({ type: "bookmark", resourceVersion: reached }, kind));
    }
    timer = clock.schedule(heartbeatMs, beat, { unref: true });
  };
  let timer = clock.schedule(heartbeatMs, beat, { unref: true });
  try {
    for (const event of existing) await send(event);
    for (; !step.done; step = await iterator.next()) await send(step.value);
  } catch (error) {
    if (!signal.aborted) {
      raw.write(`${stringifyJson({ type: "ERROR", object: statusFromError(error) })}\n`);
    }
  } finally {
    timer.cancel();
    await iterator.return?.();
    raw.end();
  }
  return reply;
}

/** What is not selected any more has gone, for who asked. Whether it was before is not known: it may never have been. */
function selected(event: WatchEvent<Kind>, isAsked: ListFilter): WatchEvent<Kind> | undefined {
  if (event.type === "bookmark" || isAsked(event.resource)) return event;
  return event.type === "modified" ? { ...event, type: "deleted" } : undefined;
}

function isElsewhere(event: WatchEvent<Kind>, namespace: string | undefined): boolean {
  if (event.type === "bookmark" || namespace === undefined) return false;
  return event.resource.metadata.namespace !== namespace;
}
