/** Failed calls: names and words of errno, and what the error says. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { libc } from "./libc.ts";
import { check, errnoName, errnoText } from "./system-error.ts";

for (const [errno, name, text] of [
  [1, "EPERM", "Operation not permitted"],
  [11, "EAGAIN", "Resource temporarily unavailable"],
  [17, "EEXIST", "File exists"],
  [95, "EOPNOTSUPP", "Operation not supported"],
  [101, "ENETUNREACH", "Network is unreachable"],
  [4000, "errno 4000", "Unknown error 4000"],
] as const) {
  test(`errno ${errno} is ${name}`, () => {
    assert.equal(errnoName(errno), name);
    assert.equal(errnoText(errno), text);
  });
}

test("a failed call names itself, its object and the reason", () => {
  assert.throws(() => check(libc.close(-1), "close", "fd -1"), {
    code: "SYSTEM_CALL_FAILED",
    message: "close on fd -1: Bad file descriptor",
    details: { call: "close", object: "fd -1", errno: "EBADF" },
  });
  assert.equal(check(7, "open", "/dev/null"), 7);
});
