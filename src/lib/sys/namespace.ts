/**
 * Network namespaces by path, as `ip netns` keeps them: a file in /run/netns on which the namespace is
 * bind-mounted. A thread changes its namespace with setns(2), so everything here is synchronous and
 * undone in the same turn of the event loop: no other JavaScript ever runs in a foreign namespace.
 */

import { mkdirSync, readdirSync, unlinkSync } from "node:fs";
import { SwitchyardError } from "../errors.ts";
import { closeFd, openPath } from "./file-descriptor.ts";
import { lastErrno, libc } from "./libc.ts";
import { loopbackUp } from "./loopback.ts";
import { check, errnoNumbers, errnoText } from "./system-error.ts";

const DIRECTORY = "/run/netns";
/** The namespace of the calling thread, which is not always that of the process. */
const OWN = "/proc/thread-self/ns/net";

const CLONE_NEWNET = 0x4000_0000;
const MS_BIND = 0x1000;
const MS_REC = 0x4000;
const MS_SHARED = 1 << 20;
const MNT_DETACH = 2;
const LOCK_EX = 2;
const O_RDONLY = 0;
const O_CREAT = 0o100;
const O_EXCL = 0o200;
const O_DIRECTORY = 0o200000;

/** `/run/netns/NAME`. @throws INVALID_ARGUMENT for a name that is no file name. */
export function namespacePath(name: string): string {
  if (!/^[^/\0]{1,255}$/.test(name) || name === "." || name === "..") {
    throw new SwitchyardError(
      "INVALID_ARGUMENT",
      `not a name of a network namespace: ${JSON.stringify(name)}`,
    );
  }
  return `${DIRECTORY}/${name}`;
}

/**
 * Runs `body` with the calling thread in the namespace at `path`: sockets opened, children spawned
 * synchronously and /proc/sys/net files read there belong to it. `body` must be synchronous.
 * @throws SYSTEM_CALL_FAILED if the namespace cannot be entered, and whatever `body` throws.
 */
export function withNamespace<T>(path: string, body: () => T): T {
  const target = openPath(path);
  try {
    return away(() => check(libc.setns(target, CLONE_NEWNET), "setns", path), body);
  } finally {
    closeFd(target);
  }
}

/** Leaves the thread's namespace by `leave`, runs `body`, comes back. */
function away<T>(leave: () => void, body: () => T): T {
  const own = openPath(OWN);
  try {
    leave();
    try {
      const result = body();
      if (isThenable(result)) {
        throw new SwitchyardError(
          "INVALID_ARGUMENT",
          "the body of withNamespace must be synchronous, but it returned a promise",
        );
      }
      return result;
    } finally {
      if (libc.setns(own, CLONE_NEWNET) === -1) {
        // A thread in the wrong namespace would change the wrong kernel tables: nothing is worse.
        console.error(`setns back to the own network namespace: ${errnoText(lastErrno())}`);
        process.abort();
      }
    }
  } finally {
    closeFd(own);
  }
}

function isThenable(value: unknown): boolean {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}

export interface CreateNamespaceOptions {
  /** Sets `lo` up; false unless told, as `ip netns add`. */
  readonly loopback?: boolean;
}

/** `ip netns add NAME`; returns its path. @throws RESOURCE_ALREADY_EXISTS, SYSTEM_CALL_FAILED. */
export function createNamespace(name: string, options: CreateNamespaceOptions = {}): string {
  const path = namespacePath(name);
  shareDirectory();
  const file = libc.open(path, O_RDONLY | O_CREAT | O_EXCL, 0);
  if (file === -1 && lastErrno() === errnoNumbers.EEXIST) {
    throw new SwitchyardError("RESOURCE_ALREADY_EXISTS", `network namespace ${name} exists`);
  }
  closeFd(check(file, "open", path));
  try {
    away(
      () => check(libc.unshare(CLONE_NEWNET), "unshare(CLONE_NEWNET)", path),
      () => {
        check(libc.mount(OWN, path, "none", MS_BIND, null), "mount(MS_BIND)", path);
        if (options.loopback) loopbackUp();
      },
    );
  } catch (error) {
    libc.umount2(path, MNT_DETACH);
    unlinkSync(path);
    throw error;
  }
  return path;
}

/**
 * Makes /run/netns a shared mount, so that namespaces mounted on it show in every mount namespace and
 * can be removed from each (what `ip netns add` does). The lock keeps two processes from stacking mounts.
 */
function shareDirectory(): void {
  mkdirSync(DIRECTORY, { recursive: true, mode: 0o755 });
  const directory = openPath(DIRECTORY, O_RDONLY | O_DIRECTORY);
  try {
    check(libc.flock(directory, LOCK_EX), "flock", DIRECTORY);
    if (libc.mount("", DIRECTORY, "none", MS_SHARED | MS_REC, null) === 0) return;
    // EINVAL: not a mount point yet.
    if (lastErrno() !== errnoNumbers.EINVAL) check(-1, "mount(MS_SHARED)", DIRECTORY);
    const bound = libc.mount(DIRECTORY, DIRECTORY, "none", MS_BIND | MS_REC, null);
    check(bound, "mount(MS_BIND)", DIRECTORY);
    const shared = libc.mount("", DIRECTORY, "none", MS_SHARED | MS_REC, null);
    check(shared, "mount(MS_SHARED)", DIRECTORY);
  } finally {
    closeFd(directory);
  }
}

/**
 * `ip netns delete NAME`. The namespace itself lives on while a process or socket is in it.
 * @throws RESOURCE_NOT_FOUND, SYSTEM_CALL_FAILED.
 */
export function deleteNamespace(name: string): void {
  const path = namespacePath(name);
  if (!listNamespaces().includes(name)) {
    throw new SwitchyardError("RESOURCE_NOT_FOUND", `network namespace ${name} does not exist`);
  }
  // EINVAL: a bare file, left where a creation was killed half-way.
  if (libc.umount2(path, MNT_DETACH) === -1 && lastErrno() !== errnoNumbers.EINVAL) {
    check(-1, "umount2", path);
  }
  unlinkSync(path);
}

/** Names in /run/netns, sorted. */
export function listNamespaces(): string[] {
  try {
    return readdirSync(DIRECTORY).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
