/** A log that cannot be written takes nobody with it. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { createLog } from "./index.ts";

const directory = mkdtempSync(join(tmpdir(), "switchyard-log-"));
after(() => rmSync(directory, { recursive: true }));

const parse = (text: string) =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { msg: string; lost?: number });

/** Both ends of a pipe are ours, and a reader that reads only when told. */
function pipe(name: string): number {
  const path = join(directory, name);
  execFileSync("mkfifo", [path]);
  return openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
}

function readAll(fd: number): string {
  const bytes = Buffer.alloc(1 << 20);
  let length = 0;
  try {
    for (;;) length += readSync(fd, bytes, length, bytes.length - length, null);
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "EAGAIN");
  }
  return bytes.toString("utf8", 0, length);
}

describe("log", () => {
  it("writes a line of JSON for each event", () => {
    const path = join(directory, "file");
    const fd = openSync(path, "w");
    const log = createLog({ level: "info", fields: { node: "a" }, fd });
    log.info({ peer: "b" }, "one");
    log.debug("not this");
    closeSync(fd);
    const [line, ...more] = parse(readFileSync(path, "utf8"));
    assert.deepEqual(more, []);
    assert.partialDeepStrictEqual(line, { level: 30, node: "a", peer: "b", msg: "one" });
  });

  it("outlives a full disk", () => {
    const log = createLog({ level: "info", fd: openSync("/dev/full", "w") });
    for (let i = 0; i < 3; i++) log.info("nowhere to go");
  });

  it("does not wait for a reader that has stopped, and tells it later what it missed", () => {
    const fd = pipe("slow");
    const log = createLog({ level: "info", fd });
    for (let i = 0; i < 3000; i++) log.info({ i, filling: "x".repeat(100) }, "much");
    const before = parse(readAll(fd).replace(/[^\n]*$/, ""));
    assert.ok(before.length > 100 && before.length < 3000, `${before.length}`);
    log.info("read again");
    const later = parse(readAll(fd).replace(/^[^{]*\n/, ""));
    const lost = later.find((line) => line.lost !== undefined);
    assert.equal(later.at(-1)?.msg, "read again");
    const missed = 3000 - before.length;
    assert.ok([missed - 1, missed].includes(lost?.lost ?? 0), `${lost?.lost} of ${missed}`);
  });

  it("never writes half a line before another", () => {
    const fd = pipe("torn");
    const log = createLog({ level: "info", fd });
    // Lines above PIPE_BUF are taken in part.
    for (let i = 0; i < 20; i++) log.info({ filling: "x".repeat(10_000) }, "long");
    let text = readAll(fd);
    log.info("end");
    text += readAll(fd);
    assert.equal(parse(text).at(-1)?.msg, "end");
  });

  it("leaves the descriptor that others share as it was", () => {
    const path = join(directory, "shared");
    execFileSync("mkfifo", [path]);
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const fd = openSync(path, "w");
    createLog({ level: "info", fd });
    const flags = Number.parseInt(
      /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))![1]!,
      8,
    );
    assert.equal(flags & constants.O_NONBLOCK, 0);
    writeSync(fd, "x");
    closeSync(fd);
    closeSync(reader);
  });
});
