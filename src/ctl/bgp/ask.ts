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
    for await (const part of this.bytes(path, query)) parts.push(part as Buffer);
    return JSON.parse(Buffer.concat(parts).toString()) as T;
  }

  /** A document per line. */
  async *lines<T>(
    path: string,
    query: Readonly<Record<string, string | undefined>>,
  ): AsyncGenerator<T> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const bytes of this.bytes(path, query)) {
      const lines = `${rest}${decoder.decode(bytes, { stream: true })}`.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) yield JSON.parse(line) as T;
    }
  }

  async *bytes(
    path: string,
    query: Readonly<Record<string, string | undefined>>,
  ): AsyncGenerator<Uint8Array> {
    const response = await this.#get(path, query);
    try {
      for await (const part of response) yield part as Buffer;
    } catch (error) {
      throw failure(`the answer from ${this.#socketPath} broke off: ${errorText(error)}`, error);
    }
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
  if (told !== undefined) return findAgentSocket(node, env);
  const agents = agentSockets();
  if (!existsSync(defaultBgpdSocketPath)) {
    if (agents.length > 0) return findAgentSocket(node, env);
    throw failure(
      `no agent and no bgpd answers below /run/switchyard: for one that listens elsewhere say --socket PATH`,
    );
  }
  if (agents.length === 0) return defaultBgpdSocketPath;
  const nodes = agents.map((agent) => agent.node).join(", ");
  throw failure(
    `bgpd and agents run on this machine: say --socket ${defaultBgpdSocketPath}, or --node (${nodes})`,
  );
}

function send(socketPath: string, path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, path, agent: false }, (response) => {
      // Whoever reads it in a pager takes the time he likes.
      outgoing.setTimeout(0);
      resolve(response);
    });
    outgoing.setTimeout(ANSWER_TIMEOUT_MS, () => {
      outgoing.destroy(new Error(`no answer within ${ANSWER_TIMEOUT_MS / 1000} s`));
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}
