/**
 * As much OpenAPI as kubectl asks for before it writes: that this server looks at the fields of what it is given
 * (`fieldValidation`) itself. What a kind may hold stands in the reference, not here.
 */

import type { FastifyInstance } from "fastify";
import { apiRoot, type Kind, kinds, kindTable } from "../model/index.ts";
import { sendJson } from "./api-routes.ts";

const version = "0.1.0";

export function addOpenApi(app: FastifyInstance): void {
  const groupVersions = [...new Set(kinds.map((kind) => kindTable[kind].apiVersion))];
  const at = (groupVersion: string) => `/openapi/v3${apiRoot(groupVersion)}`;
  const paths = groupVersions.map((groupVersion) => {
    const serverRelativeURL = at(groupVersion);
    return [apiRoot(groupVersion).slice(1), { serverRelativeURL }];
  });
  app.get("/openapi/v3", (_request, reply) =>
    sendJson(reply, { paths: Object.fromEntries(paths) }),
  );
  for (const groupVersion of groupVersions) {
    app.get(at(groupVersion), (_request, reply) => sendJson(reply, documentOf(groupVersion)));
  }
}

function documentOf(groupVersion: string) {
  const own = kinds.filter((kind) => kindTable[kind].apiVersion === groupVersion);
  return {
    openapi: "3.0.0",
    info: { title: "Switchyard", version },
    paths: Object.fromEntries(own.map((kind) => [pathOf(kind), { patch: patchOf(kind) }])),
  };
}

function pathOf(kind: Kind): string {
  const { apiVersion, plural, namespaced } = kindTable[kind];
  const scope = namespaced ? "/namespaces/{namespace}" : "";
  return `${apiRoot(apiVersion)}${scope}/${plural}/{name}`;
}

function patchOf(kind: Kind) {
  const [group, name] = kindTable[kind].apiVersion.includes("/")
    ? kindTable[kind].apiVersion.split("/")
    : ["", kindTable[kind].apiVersion];
  return {
    parameters: [{ name: "fieldValidation", in: "query", schema: { type: "string" } }],
    responses: { 200: { description: "as it is stored now" } },
    "x-kubernetes-group-version-kind": { group, version: name, kind },
  };
}
