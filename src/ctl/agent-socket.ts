/** Finds the status sockets of the agents on this machine, and asks one of them. */

import { existsSync, readdirSync } from "node:fs";
import { request } from "node:http";
import type { AgentDiff, AgentStatus } from "../agent/index.ts";
import { errorText } from "../lib/index.ts";
import { failure } from "./crud/errors.ts";

const runDirectory = "/run/switchyard";

export interface AgentSocket {
  readonly node: string;
  readonly path: string;
}

/** `NODE/agent.sock` of the system's agent, `lab…/nodes/NODE/agent.sock` of those of labs. */
export function agentSockets(directory = runDirectory): readonly AgentSocket[] {
  const names = subdirectories(directory);
  const labs = names.filter((name) => /^lab(-|$)/.test(name));
  const parents = [directory, ...labs.map((lab) => `${directory}/${lab}/nodes`)];
  return parents.flatMap((parent) =>
    subdirectories(parent)
      .map((node) => ({ node, path: `${parent}/${node}/agent.sock` }))
      .filter(({ path }) => existsSync(path)),
  );
}

function subdirectories(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** The one agent meant: by flag, by the surroundings, or the only one there is. */
export function findAgentSocket(
  wanted: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const directory = env.SWITCHYARD_STATE_DIR;
  if (wanted === undefined && directory) return `${directory}/agent.sock`;
  const node = wanted ?? env.SWITCHYARD_NODE;
  let sockets: readonly AgentSocket[];
  try {
    sockets = agentSockets();
  } catch (error) {
    throw failure(`looking for agents in /run/switchyard: ${errorText(error)}`, error);
  }
  const candidates = node ? sockets.filter((socket) => socket.node === node) : sockets;
  const [only] = candidates;
  if (only === undefined) {
    const whose = node ? ` of node ${node}` : "";
    throw failure(
      `Calico process is not running.\nNo agent${whose} has a socket under /run/switchyard: start one with \`switchyard agent\`, or a lab with \`switchyard lab up\`.`,
    );
  }
  if (candidates.length > 1) {
    const names = candidates.map((socket) => socket.node).join(", ");
    throw failure(`several agents run on this machine: name one with --node (${names})`);
  }
  return only.path;
}

const answerTimeoutMs = 5000;

/** @throws SwitchyardError if nobody answers, or not as an agent does. */
export async function askAgent(socketPath: string): Promise<AgentStatus> {
  return (await ask(socketPath, "/status")) as AgentStatus;
}

/** Plan against kernel. @throws SwitchyardError, also when the agent has nothing to compare with yet. */
export async function askAgentDiff(socketPath: string): Promise<AgentDiff> {
  return (await ask(socketPath, "/diff")) as AgentDiff;
}

async function ask(socketPath: string, path: string): Promise<unknown> {
  let answer: { readonly status: number; readonly text: string };
  try {
    answer = await get(socketPath, path);
  } catch (error) {
    throw failure(
      `Calico process is not running.\nNo agent answers at ${socketPath}: ${errorText(error)}`,
      error,
    );
  }
  const { status, text } = answer;
  if (status !== 200) throw failure(`the agent at ${socketPath} answers ${status}: ${text.trim()}`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw failure(`what answers at ${socketPath} is not a Switchyard agent`, error);
  }
}

function get(
  socketPath: string,
  path: string,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, path, agent: false }, (response) => {
      response.setEncoding("utf8");
      let text = "";
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      response.on("error", reject);
    });
    outgoing.setTimeout(answerTimeoutMs, () => {
      outgoing.destroy(new Error(`no answer within ${answerTimeoutMs / 1000} s`));
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}
