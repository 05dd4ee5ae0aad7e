import assert from "node:assert/strict";
import { test } from "node:test";
import { ipv4, systemClock } from "../lib/index.ts";
import { createNamespace, deleteNamespace } from "../lib/sys/index.ts";
import { openRouteSocket } from "../netlink/index.ts";
import { whyUnreachable } from "./reach.ts";

const skip = process.getuid?.() === 0 ? false : "needs root: it makes a network namespace";

test("a way that appears while it is tried is found; one that never does is named", {
  skip,
}, async () => {
  const name = `labreach${process.pid}`;
  const namespace = createNamespace(name);
  try {
    const address = ipv4("127.0.0.1");
    const none = await whyUnreachable({ namespace, address, timeoutMs: 120 }, systemClock);
    assert.match(none ?? "", /^connect on 127\.0\.0\.1:1: Network is unreachable$/);
    const found = whyUnreachable({ namespace, address, timeoutMs: 10_000 }, systemClock);
    const socket = openRouteSocket({ namespace });
    await socket.changeLink((await socket.link("lo"))!.index, { up: true });
    socket.close();
    assert.equal(await found, undefined);
  } finally {
    deleteNamespace(name);
  }
});
