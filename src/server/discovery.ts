/** What the API offers, in the form Kubernetes clients ask for it. */

import type { FastifyInstance } from "fastify";
import { apiRoot, type Kind, kindAliases, kinds, kindTable } from "../model/index.ts";
import { sendJson } from "./api-routes.ts";

/** Kubernetes' first group, which has no name. */
const CORE = "v1";
const verbs = ["create", "delete", "get", "list", "patch", "update", "watch"];

interface Group {
  readonly name: string;
  readonly versions: readonly { readonly groupVersion: string; readonly version: string }[];
  readonly preferredVersion: { readonly groupVersion: string; readonly version: string };
}

function groups(): Group[] {
  const groupVersions = [...new Set(kinds.map((kind) => kindTable[kind].apiVersion))];
  return groupVersions.flatMap((groupVersion) => {
    const [name = "", version] = groupVersion.split("/");
    // The group without a name is not listed among the others.
    if (version === undefined) return [];
    const entry = { groupVersion, version };
    return [{ name, versions: [entry], preferredVersion: entry }];
  });
}

/** Beside the kind's own name and its plural. */
function shortNames(kind: Kind): readonly string[] {
  const aliases: Partial<Record<Kind, readonly string[]>> = kindAliases;
  return aliases[kind]?.slice(2) ?? [];
}

function resourcesOf(groupVersion: string) {
  return kinds
    .filter((kind) => kindTable[kind].apiVersion === groupVersion)
    .flatMap((kind) => {
      const { plural, namespaced } = kindTable[kind];
      const entry = { kind, namespaced, singularName: kind.toLowerCase() };
      return [
        { name: plural, ...entry, shortNames: shortNames(kind), verbs },
        { name: `${plural}/status`, ...entry, singularName: "", verbs: ["get", "update"] },
      ];
    });
}

export function addDiscovery(app: FastifyInstance, version: string): void {
  const list = groups();
  app.get("/api", (_request, reply) => sendJson(reply, { kind: "APIVersions", versions: [CORE] }));
  app.get("/apis", (_request, reply) =>
    sendJson(reply, { kind: "APIGroupList", apiVersion: "v1", groups: list }),
  );
  for (const group of list) {
    app.get(`/apis/${group.name}`, (_request, reply) =>
      sendJson(reply, { kind: "APIGroup", apiVersion: "v1", ...group }),
    );
  }
  for (const groupVersion of [CORE, ...list.map((group) => group.preferredVersion.groupVersion)]) {
    app.get(apiRoot(groupVersion), (_request, reply) =>
      sendJson(reply, {
        kind: "APIResourceList",
        apiVersion: "v1",
        groupVersion,
        resources: resourcesOf(groupVersion),
      }),
    );
  }
  const [major = "", minor = ""] = version.split(".");
  app.get("/version", (_request, reply) =>
    sendJson(reply, { major, minor, gitVersion: `v${version}` }),
  );
}
