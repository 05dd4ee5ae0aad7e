/**
 * A process's place in the file system. The socket is made under another name and moved into
 * place with its final mode, so that it is never open to more people than it should be, and a
 * client that finds it finds a server that is ready.
 */

import { chmod, lstat, mkdir, rename, unlink } from "node:fs/promises";
import { connect } from "node:net";
import { dirname } from "node:path";
import { errorText, SwitchyardError } from "../index.ts";

const socketMode = 0o660;
const directoryMode = 0o755;

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

function refuse(path: string, why: string, cause?: unknown): SwitchyardError {
  return new SwitchyardError("SOCKET_UNUSABLE", `cannot listen on unix:${path}: ${why}`, {
    cause,
    details: { socketPath: path },
  });
}

/**
 * Makes the directory and clears what a dead process left.
 * @param owner what listens there: `server`, `agent`.
 * @throws SOCKET_UNUSABLE if a live one answers, or what is there is no socket.
 */
export async function prepareSocketPath(path: string, owner: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: directoryMode }).catch((error: unknown) => {
    throw refuse(path, errorText(error), error);
  });
  const found = await lstat(path).catch(() => undefined);
  if (!found) return;
  if (!found.isSocket()) throw refuse(path, "a file that is not a socket is in the way");
  if (await answers(path)) throw refuse(path, `another ${owner} answers there`);
}

/** The name to listen on before {@link publishSocket}. */
export function temporarySocketPath(path: string): string {
  return `${path}.${process.pid}`;
}

export async function publishSocket(path: string): Promise<void> {
  const temporary = temporarySocketPath(path);
  try {
    await chmod(temporary, socketMode);
    await rename(temporary, path);
  } catch (error) {
    throw refuse(path, errorText(error), error);
  }
}

export async function removeSocket(path: string): Promise<void> {
  await unlink(path).catch(() => undefined);
}
