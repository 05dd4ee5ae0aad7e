/** The resource API: one route per verb, for every kind of the model. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Datastore } from "../datastore/index.ts";
import { stringifyJson } from "../lib/index.ts";
import { apiRoot, type Kind, kinds, kindTable } from "../model/index.ts";
import { listFilter } from "./list-filter.ts";
import { badRequest, deletePreconditions, mergeOf, patchObject, readObject } from "./requests.ts";
import { serveWatch, type WatchStreamOptions } from "./watch-stream.ts";

export interface ApiRoutesOptions extends WatchStreamOptions {
  readonly store: Datastore;
}

function paramsOf(request: FastifyRequest): { name?: string; namespace?: string } {
  return request.params as { name?: string; namespace?: string };
}

export function sendJson(reply: FastifyReply, value: unknown, code = 200): FastifyReply {
  return reply
    .code(code)
    .header("content-type", "application/json; charset=utf-8")
    .send(stringifyJson(value));
}

function isTrue(value: unknown): boolean {
  return value === "true" || value === "1";
}

export function addApiRoutes(app: FastifyInstance, options: ApiRoutesOptions): void {
  for (const kind of kinds) {
    const { apiVersion, plural, namespaced } = kindTable[kind];
    const root = apiRoot(apiVersion);
    addCollection(app, { ...options, kind, path: `${root}/${plural}` });
    if (!namespaced) {
      addObject(app, { ...options, kind, path: `${root}/${plural}/:name` });
      continue;
    }
    const scoped = `${root}/namespaces/:namespace/${plural}`;
    addCollection(app, { ...options, kind, path: scoped });
    addObject(app, { ...options, kind, path: `${scoped}/:name` });
  }
}

interface KindRoutes extends ApiRoutesOptions {
  readonly kind: Kind;
  readonly path: string;
}

function addCollection(app: FastifyInstance, routes: KindRoutes): void {
  const { store, kind, path } = routes;
  app.get(path, async (request, reply) => {
    const { namespace } = paramsOf(request);
    if (isTrue((request.query as Record<string, unknown>).watch))
      return serveWatch(request, reply, routes);
    const isAsked = listFilter(request.query);
    const list = await store.list(kind, namespace ? { namespace } : {});
    return sendJson(reply, {
      kind: `${kind}List`,
      apiVersion: kindTable[kind].apiVersion,
      metadata: { resourceVersion: list.resourceVersion },
      items: list.items.filter(isAsked),
    });
  });
  app.post(path, async (request, reply) => {
    const { namespace } = paramsOf(request);
    const resource = readObject(request.body, { kind, namespace });
    return sendJson(reply, await store.create(resource), 201);
  });
}

function addObject(app: FastifyInstance, routes: KindRoutes): void {
  const { store, kind, path } = routes;
  const scope = (request: FastifyRequest) => {
    const { name = "", namespace } = paramsOf(request);
    return { kind, name, ...(namespace ? { namespace } : {}) };
  };
  app.get(path, async (request, reply) => {
    const object = scope(request);
    return sendJson(reply, await store.get(kind, object.name, object));
  });
  app.put(path, async (request, reply) => {
    const resource = readObject(request.body, scope(request));
    return sendJson(reply, await store.update(resource));
  });
  app.patch(path, async (request, reply) => {
    const merge = mergeOf(request.headers["content-type"]);
    const options = { ...scope(request), patch: request.body, merge };
    return sendJson(reply, await patchObject(store, options));
  });
  app.delete(path, async (request, reply) => {
    const object = scope(request);
    const preconditions = deletePreconditions(request.body);
    const deleted = await store.delete(kind, object.name, { ...object, ...preconditions });
    return sendJson(reply, deleted);
  });
  app.get(`${path}/status`, async (request, reply) => {
    const object = scope(request);
    return sendJson(reply, await store.get(kind, object.name, object));
  });
  app.put(`${path}/status`, async (request, reply) => {
    const object = scope(request);
    const sent = readObject(request.body, object);
    const stored = await store.get(kind, object.name, object);
    const { resourceVersion = stored.metadata.resourceVersion } = sent.metadata;
    const { status: _, ...rest } = stored;
    const status = sent.status === undefined ? {} : { status: sent.status };
    const metadata = { ...stored.metadata, ...(resourceVersion ? { resourceVersion } : {}) };
    return sendJson(reply, await store.update({ ...rest, ...status, metadata }));
  });
  app.post(path, async () => {
    throw badRequest(`POST goes to the collection, not to an object of it`);
  });
}
