/** Finds the status sockets of the agents on this machine, and asks one of them. */

import { existsSync, readdirSync } from "node:fs";
import { request } from "node:http";
import type { AgentStatus } from "../agent/index.ts";
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

const answerTimeoutMs = 5000;

/** @throws SwitchyardError if nobody answers, or not as an agent does. */
export async function askAgent(socketPath: string): Promise<AgentStatus> {
  let text: string;
  try {
    text = await getText(socketPath, "/status");
  } catch (error) {
    throw failure(
      `Calico process is not running.\nNo agent answers at ${socketPath}: ${errorText(error)}`,
      error,
    );
  }
  try {
    return JSON.parse(text) as AgentStatus;
  } catch (error) {
    throw failure(`what answers at ${socketPath} is not a Switchyard agent`, error);
  }
}

function getText(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, path, agent: false }, (response) => {
      response.setEncoding("utf8");
      let text = "";
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve(text));
      response.on("error", reject);
    });
    outgoing.setTimeout(answerTimeoutMs, () => {
      outgoing.destroy(new Error(`no answer within ${answerTimeoutMs / 1000} s`));
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}
