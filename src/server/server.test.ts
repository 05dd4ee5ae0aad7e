import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { datastoreContract } from "../datastore/contract.test-suite.ts";
import { openApiClient } from "../datastore/index.ts";
import { systemClock } from "../lib/index.ts";
import { silentLog } from "../lib/log/index.ts";
import { startServer } from "./index.ts";

datastoreContract({
  name: "api client and server",
  async open() {
    const directory = await mkdtemp(join(tmpdir(), "switchyard-server-"));
    const socketPath = join(directory, "api.sock");
    const server = await startServer({
      socketPath,
      databasePath: ":memory:",
      log: silentLog,
      clock: systemClock,
      keepLogEntries: 200,
    });
    const store = openApiClient({ socketPath });
    return {
      store,
      async close() {
        await store.close();
        await server.close();
        await rm(directory, { recursive: true });
      },
    };
  },
});
