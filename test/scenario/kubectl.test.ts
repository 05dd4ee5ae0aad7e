/** kubectl, as it is, with our server: what a user of Kubernetes does to Services, and to Calico's kinds. */

import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { systemClock } from "../../src/lib/index.ts";
import { silentLog } from "../../src/lib/log/index.ts";
import { type RunningServer, startServer } from "../../src/server/index.ts";

const installed = spawnSync("kubectl", ["version", "--client"]).status === 0;
const skip = installed ? false : "kubectl is not installed";
const directory = mkdtempSync(join(tmpdir(), "switchyard-kubectl-"));
const socketPath = join(directory, "api.sock");
let server: RunningServer | undefined;
/** kubectl knows no Unix sockets. */
let bridge: Server | undefined;

before(async () => {
  if (skip) return;
  const clock = systemClock;
  server = await startServer({ socketPath, databasePath: ":memory:", log: silentLog, clock });
  bridge = createServer((client) => {
    const upstream = connect(socketPath);
    client.pipe(upstream).pipe(client);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  bridge.listen(0, "127.0.0.1", resolve);
  await promise;
});
after(async () => {
  bridge?.close();
  await server?.close();
  rmSync(directory, { recursive: true, force: true });
});

const run = promisify(execFile);

async function kubectl(...words: string[]): Promise<string> {
  const { port } = bridge!.address() as AddressInfo;
  const own = ["--server", `http://127.0.0.1:${port}`, "--cache-dir", join(directory, "cache")];
  const env = { ...process.env, KUBECONFIG: join(directory, "none") };
  const { stdout } = await run("kubectl", [...own, ...words], { env, timeout: 30_000 });
  return stdout;
}

/** Older ones, such as Debian 12's 1.20, want a schema to validate with, which we do not serve: we validate ourselves. */
function apply(path: string): Promise<string> {
  return kubectl("apply", "--validate=false", "-f", path);
}

function file(text: string): string {
  const path = join(directory, "objects.yaml");
  writeFileSync(path, text);
  return path;
}

const service = (ports: string) => `
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  clusterIP: 10.96.0.9
  clusterIPs: [10.96.0.9]
  ports: [${ports}]
`;
const [http, https] = ["{name: http, port: 80}", "{name: https, port: 443}"];

test("a Service is applied, changed port by port, selected and deleted", { skip }, async () => {
  const ports = async () =>
    (
      await kubectl("get", "svc", "web", "-n", "shop", "-o", "jsonpath={.spec.ports[*].port}")
    ).trim();
  assert.match(await apply(file(service(http))), /service\/web created/);
  assert.match(await apply(file(service(http))), /service\/web unchanged/);
  const both = file(service(`${https}, ${http}`));
  assert.match(await apply(both), /service\/web configured/);
  assert.equal(await ports(), "443 80");
  await apply(file(service(https)));
  assert.equal(await ports(), "443");
  const stored = await kubectl("get", "svc", "web", "-n", "shop", "-o", "json");
  assert.ok(!/\$(patch|setElementOrder)/.test(stored), "no directive is stored");
  await kubectl("delete", "svc", "-n", "shop", "-l", "app=api");
  assert.match(await kubectl("get", "svc", "-A", "-l", "app=web"), /^shop +web/m);
  assert.match(await kubectl("delete", "svc", "-n", "shop", "-l", "app=web"), /"web" deleted/);
  assert.doesNotMatch(await kubectl("get", "services", "-A"), /web/);
});

test("Calico's kinds are applied, and wrong fields refused", { skip }, async () => {
  const pool = (more: string) => `
apiVersion: projectcalico.org/v3
kind: IPPool
metadata: {name: pool}
spec: {cidr: 10.0.0.0/16${more}}
`;
  assert.match(await apply(file(pool(""))), /pool created/);
  await apply(file(pool(", natOutgoing: true")));
  const nat = "jsonpath={.spec.natOutgoing}";
  assert.equal(await kubectl("get", "ipp", "pool", "-o", nat), "true");
  await assert.rejects(apply(file(pool(", nonsense: 1"))), /spec\.nonsense/);
});
