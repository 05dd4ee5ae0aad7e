/** The HTTP application: every route, and one form for every refusal. */

import {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
} from "fastify";
import { type Datastore, failureStatus, statusFromError } from "../datastore/index.ts";
import { type Clock, errorText, parseJson, SwitchyardError } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import { addApiRoutes, sendJson } from "./api-routes.ts";
import { addDiscovery } from "./discovery.ts";
import { addOpenApi } from "./openapi.ts";

const version = "0.1.0";
const bodyLimitBytes = 4 * 1024 * 1024;

export interface AppOptions {
  readonly store: Datastore;
  readonly log: Log;
  readonly clock: Clock;
  /** Ends every watch when the server closes. */
  readonly closing: AbortSignal;
}

function statusOf(error: FastifyError) {
  const { statusCode = 500 } = error;
  if (error instanceof SwitchyardError || statusCode >= 500) return statusFromError(error);
  const reason = statusCode === 413 ? "RequestEntityTooLarge" : "BadRequest";
  return failureStatus({ code: statusCode, reason, message: error.message });
}

export function buildApp(options: AppOptions): FastifyInstance {
  const { store, log } = options;
  const onError = (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
    const status = statusOf(error);
    if (status.code >= 500) {
      log.error({ method: request.method, url: request.url, err: error }, "request failed");
    }
    return sendJson(reply, status, status.code);
  };
  const app = fastify({
    bodyLimit: bodyLimitBytes,
    logger: false,
    forceCloseConnections: true,
    // A client keeps its connection; only local processes can have one.
    keepAliveTimeout: 0,
    routerOptions: { maxParamLength: 512 },
    frameworkErrors: onError,
  });
  app.removeAllContentTypeParsers();
  // Whatever a client calls it (merge-patch+json, strategic-merge-patch+json), a body is JSON.
  app.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => {
    if (body === "") return done(null, undefined);
    try {
      done(null, parseJson(body as string));
    } catch (error) {
      const message = `the body is not valid JSON: ${errorText(error)}`;
      done(new SwitchyardError("INVALID_ARGUMENT", message));
    }
  });
  app.setErrorHandler(onError);
  app.setNotFoundHandler((request, reply) => {
    const message = `the server could not find the requested resource: ${request.method} ${request.url}`;
    return sendJson(reply, failureStatus({ code: 404, reason: "NotFound", message }), 404);
  });
  app.get("/healthz", async () => "ok");
  app.get("/readyz", async () => {
    await store.get("ClusterInformation", "default");
    return "ok";
  });
  addDiscovery(app, version);
  addOpenApi(app);
  addApiRoutes(app, options);
  return app;
}
