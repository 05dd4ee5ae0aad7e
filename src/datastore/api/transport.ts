/** HTTP over the API server's unix socket: one request and its answer, or a stream of lines. */

import { Agent, type IncomingMessage, request } from "node:http";
import { errorText, parseJson, SwitchyardError } from "../../lib/index.ts";
import { errorFromStatus } from "./status.ts";

export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  /** JSON text. */
  readonly body?: string;
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
  /** Longest silence, before the answer or within it; unlimited unless told. */
  readonly idleLimitMs?: number;
}

/** A pool's deletion waits for allocations to finish; nothing takes as long as this. */
const callLimitMs = 30_000;

export class Transport {
  readonly #socketPath: string;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  #unreachable(error: unknown): SwitchyardError {
    const code = (error as NodeJS.ErrnoException).code;
    const answer = code ?? errorText(error);
    return new SwitchyardError(
      "DATASTORE_UNAVAILABLE",
      `cannot reach the API server at unix:${this.#socketPath}: ${answer}`,
      { cause: error, details: { socketPath: this.#socketPath, errno: code } },
    );
  }

  #open(options: ApiRequest, agent: Agent | false): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const { method, path, body, signal } = options;
      const headers: Record<string, string | number> = { host: "localhost" };
      if (body !== undefined) {
        headers["content-type"] = options.contentType ?? "application/json";
        headers["content-length"] = Buffer.byteLength(body);
      }
      let answer: IncomingMessage | undefined;
      const outgoing = request({
        socketPath: this.#socketPath,
        method,
        path,
        headers,
        agent,
        ...(signal ? { signal } : {}),
        ...(options.idleLimitMs === undefined ? {} : { timeout: options.idleLimitMs }),
      });
      outgoing.on("timeout", () => {
        const message = `no answer within ${options.idleLimitMs} ms`;
        const error = Object.assign(new Error(message), { code: "ETIMEDOUT" });
        (answer ?? outgoing).destroy(error);
      });
      outgoing.on("response", (response) => {
        answer = response;
        resolve(response);
      });
      outgoing.on("error", (error) => {
        // The server closed an idle connection while we picked it: nothing was processed twice by
        // reading again.
        const idleClosed = outgoing.reusedSocket && method === "GET" && agent !== false;
        if (idleClosed && !signal?.aborted) resolve(this.#open(options, false));
        else reject(signal?.aborted ? error : this.#unreachable(error));
      });
      outgoing.end(body);
    });
  }

  /** @throws SwitchyardError as the server named it, or DATASTORE_UNAVAILABLE. */
  async call(options: ApiRequest): Promise<unknown> {
    const response = await this.#open({ idleLimitMs: callLimitMs, ...options }, this.#agent);
    return this.#answer(response);
  }

  async #answer(response: IncomingMessage): Promise<unknown> {
    response.setEncoding("utf8");
    let text = "";
    try {
      for await (const chunk of response) text += chunk;
    } catch (error) {
      throw this.#unreachable(error);
    }
    const status = response.statusCode ?? 0;
    const body = this.#parse(text, status);
    if (status >= 400) throw errorFromStatus(body, status);
    return body;
  }

  #parse(text: string, status: number): unknown {
    try {
      return parseJson(text);
    } catch (error) {
      if (status >= 400) return undefined;
      throw new SwitchyardError(
        "DATASTORE_UNAVAILABLE",
        `what answers at unix:${this.#socketPath} does not speak JSON: ${errorText(error)}`,
        { cause: error },
      );
    }
  }

  /** Yields each line, parsed. Ends quietly on `signal` only; a closed stream is an error. */
  async *lines(options: ApiRequest): AsyncGenerator<unknown, void, void> {
    const { signal } = options;
    let response: IncomingMessage | undefined;
    try {
      response = await this.#open(options, false);
      if ((response.statusCode ?? 0) >= 400) await this.#answer(response);
      response.setEncoding("utf8");
      let rest = "";
      for await (const chunk of response) {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          if (line !== "") yield this.#parse(line, 200);
        }
      }
    } catch (error) {
      if (signal?.aborted) return;
      throw error instanceof SwitchyardError ? error : this.#unreachable(error);
    } finally {
      response?.destroy();
    }
    if (!signal?.aborted) throw this.#unreachable(new Error("the server ended the stream"));
  }

  close(): void {
    this.#agent.destroy();
  }
}
