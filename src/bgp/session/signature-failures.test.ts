/** The kernel's own counters, and what is no table of them. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { kernelSignatureFailures } from "./signature-failures.ts";

it("reads what this kernel counts", () => {
  const found = kernelSignatureFailures();
  assert.ok(found !== undefined);
  for (const count of Object.values(found)) assert.ok(Number.isInteger(count) && count >= 0);
});

it("takes values by their names, and knows nothing where they are missing", () => {
  const directory = mkdtempSync(join(tmpdir(), "switchyard-netstat-"));
  const path = join(directory, "netstat");
  const read = (text: string) => {
    writeFileSync(path, text);
    return kernelSignatureFailures(path);
  };
  const names = "TcpExt: SyncookiesSent TCPMD5NotFound TCPMD5Unexpected TCPMD5Failure";
  const found = { missing: 5, unexpected: 6, wrong: 7 };
  assert.deepEqual(read(`${names}\nTcpExt: 1 5 6 7\nIpExt: A\nIpExt: 2\n`), found);
  assert.equal(read("TcpExt: SyncookiesSent\nTcpExt: 1\n"), undefined);
  assert.equal(read(""), undefined);
  assert.equal(kernelSignatureFailures(join(directory, "none")), undefined);
  rmSync(directory, { recursive: true });
});
