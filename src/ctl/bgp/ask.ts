/** Asks the agent of this node, or bgpd, about BGP; long answers are read as they come. */

import { existsSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { errorText } from "../../lib/index.ts";
import { agentSockets, findAgentSocket } from "../agent-socket.ts";
import type { CtlContext, GlobalOptions } from "../context.ts";
import { failure } from "../crud/errors.ts";
import { defaultBgpdSocketPath } from "./default-socket.ts";

export interface BgpOptions extends GlobalOptions {
  readonly node?: string;
  readonly socket?: string;
  readonly output: string;
}

const ANSWER_TIMEOUT_MS = 30_000;

export class BgpClient {
  readonly #socketPath: string;

  constructor({ node, socket }: BgpOptions, { env }: CtlContext) {
    this.#socketPath = socket ?? findSocket(node, env);
  }

  /** @throws SwitchyardError */
  async json<T>(
    path: string,
    query: Readonly<Record<string, string | undefined>> = {},
  ): Promise<T> {
    const parts: Buffer[] = [];
    for await (const part of await this.#get(path, query)) parts.push(part as Buffer);
    return JSON.parse(Buffer.concat(parts).toString()) as T;
  }

  /** A document per line. */
  async *lines<T>(
    path: string,
    query: Readonly<Record<string, string | undefined>>,
  ): AsyncGenerator<T> {
    const response = await this.#get(path, query);
    response.setEncoding("utf8");
    let rest = "";
    for await (const text of response as AsyncIterable<string>) {
      const lines = `${rest}${text}`.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) yield JSON.parse(line) as T;
    }
    if (!response.complete) throw failure(`the answer from ${this.#socketPath} broke off`);
  }

  async *bytes(
    path: string,
    query: Readonly<Record<string, string | undefined>>,
  ): AsyncGenerator<Uint8Array> {
    for await (const part of await this.#get(path, query)) yield part as Buffer;
  }

  async #get(
    path: string,
    query: Readonly<Record<string, string | undefined>>,
  ): Promise<IncomingMessage> {
    const socketPath = this.#socketPath;
    const given = Object.entries(query).filter(([, value]) => value !== undefined);
    const search = new URLSearchParams(given as [string, string][]).toString();
    let response: IncomingMessage;
    try {
      response = await send(socketPath, `/bgp/${path}${search === "" ? "" : `?${search}`}`);
    } catch (error) {
      throw failure(`nobody answers about BGP at ${socketPath}: ${errorText(error)}`, error);
    }
    if (response.statusCode === 200) return response;
    let words = "";
    for await (const part of response) words += part;
    throw failure(words.trim() || `${socketPath} answers ${response.statusCode}`);
  }
}

function findSocket(
  node: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const told = node ?? env.SWITCHYARD_NODE ?? env.SWITCHYARD_STATE_DIR;
  if (told !== undefined || !existsSync(defaultBgpdSocketPath)) return findAgentSocket(node, env);
  const agents = agentSockets();
  if (agents.length === 0) return defaultBgpdSocketPath;
  const nodes = agents.map((agent) => agent.node).join(", ");
  throw failure(
    `bgpd and agents run on this machine: say --socket ${defaultBgpdSocketPath}, or --node (${nodes})`,
  );
}

function send(socketPath: string, path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, path, agent: false }, resolve);
    outgoing.setTimeout(ANSWER_TIMEOUT_MS, () => {
      outgoing.destroy(new Error(`no answer within ${ANSWER_TIMEOUT_MS / 1000} s`));
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}
