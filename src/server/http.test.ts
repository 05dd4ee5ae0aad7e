import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { FakeClock } from "../lib/index.ts";
import { type Answer, type Served, withServer } from "./http.test-support.ts";

const pools = "/apis/projectcalico.org/v3/ippools";

function poolText(name: string, spec: object): string {
  const resource = { apiVersion: "projectcalico.org/v3", kind: "IPPool", metadata: { name }, spec };
  return JSON.stringify(resource);
}

/** `code reason message`, and that it is a Status like Kubernetes' own. */
function failure({ code, body }: Answer): string {
  const status = body as Record<string, unknown>;
  assert.equal(status.kind, "Status");
  assert.equal(status.apiVersion, "v1");
  assert.equal(status.status, "Failure");
  assert.equal(status.code, code);
  return `${code} ${status.reason} ${status.message}`;
}

test("objects are created, read, replaced, patched and deleted over plain HTTP", async () => {
  await withServer(async ({ call }) => {
    const created = await call({
      method: "POST",
      path: pools,
      body: poolText("a", { cidr: "10.0.0.0/16" }),
    });
    assert.equal(created.code, 201);
    const resource = created.body as { metadata: Record<string, string>; spec: object };
    assert.deepEqual((await call({ path: `${pools}/a` })).body, resource);
    const list = (await call({ path: pools })).body as Record<string, unknown>;
    assert.equal(list.kind, "IPPoolList");
    assert.deepEqual(list.items, [resource]);
    const replaced = await call({
      method: "PUT",
      path: `${pools}/a`,
      body: JSON.stringify({ ...resource, spec: { ...resource.spec, natOutgoing: true } }),
    });
    assert.equal(replaced.code, 200);
    for (const contentType of [
      "application/merge-patch+json",
      "application/strategic-merge-patch+json",
    ]) {
      const body = JSON.stringify({ spec: { natOutgoing: null, ipipMode: "Always" } });
      const patched = await call({ method: "PATCH", path: `${pools}/a`, body, contentType });
      const { spec } = patched.body as { spec: Record<string, unknown> };
      assert.deepEqual([patched.code, spec.natOutgoing, spec.ipipMode], [200, undefined, "Always"]);
    }
    const stale = JSON.stringify({ preconditions: { resourceVersion: "1" } });
    assert.equal(
      failure(await call({ method: "DELETE", path: `${pools}/a`, body: stale })),
      "409 Conflict update conflict: IPPool(a)",
    );
    assert.equal((await call({ method: "DELETE", path: `${pools}/a` })).code, 200);
    assert.equal((await call({ path: `${pools}/a` })).code, 404);
  });
});

test("refusals are Status objects with Calico's words", async () => {
  await withServer(async ({ call }) => {
    const create = (body: string | Buffer) => call({ method: "POST", path: pools, body });
    await create(poolText("a", { cidr: "10.0.0.0/16" }));
    const patch = (body: string) => call({ method: "PATCH", path: `${pools}/a`, body });
    const rows: [answer: Answer, expected: RegExp | string][] = [
      [await create("{"), /^400 BadRequest the body is not valid JSON: /],
      [await create(Buffer.from([0xff, 0xfe])), /^400 BadRequest the body is not valid JSON: /],
      [
        await create(""),
        "422 Invalid json: cannot unmarshal undefined into a resource: expected an object",
      ],
      [
        await create("[]"),
        "422 Invalid json: cannot unmarshal array into a resource: expected an object",
      ],
      [
        await create(poolText("a", { cidr: "10.0.0.0/16" })),
        "409 AlreadyExists resource already exists: IPPool(a) with error: <nil>",
      ],
      [
        await create(poolText("b", { cidr: "10.0.0.0/24" })),
        "422 Invalid error with field IPPool.Spec.CIDR = '10.0.0.0/24' (IPPool(b) CIDR overlaps with IPPool(a) CIDR 10.0.0.0/16)",
      ],
      [
        await create(poolText("b", { cidr: "11.0.0.0/24", foo: 1 })),
        '422 Invalid strict decoding error: unknown field "spec.foo"',
      ],
      [await create("x".repeat(5 * 1024 * 1024)), /^413 RequestEntityTooLarge /],
      [await patch("[]"), "400 BadRequest a merge patch is a JSON object"],
      [
        await patch('{"spec":{"vxlanMode":"Always","ipipMode":"Always"}}'),
        "422 Invalid error with field spec (ipipMode and vxlanMode cannot both be enabled)",
      ],
      [
        await patch('{"spec":{"foo":1}}'),
        '422 Invalid strict decoding error: unknown field "spec.foo"',
      ],
      [
        await patch('{"metadata":{"resourceVersion":"1"}}'),
        "409 Conflict update conflict: IPPool(a)",
      ],
      [
        await patch('{"metadata":{"name":"b"}}'),
        "400 BadRequest the name of the object (b) does not match the name on the URL (a)",
      ],
      [
        await call({ path: `${pools}/b` }),
        "404 NotFound resource does not exist: IPPool(b) with error: <nil>",
      ],
      [
        await call({ path: "/apis/nothing" }),
        "404 NotFound the server could not find the requested resource: GET /apis/nothing",
      ],
      [await call({ path: "/apis/projectcalico.org/v3/nodes/%ZZ" }), /^400 BadRequest /],
      [
        await call({ path: `${pools}?watch=true&resourceVersion=999` }),
        /^410 Expired resource version 999 is too old, list again/,
      ],
      [
        await call({ path: `${pools}?watch=true&resourceVersion=x` }),
        "422 Invalid error with field ResourceVersion = 'x' (not a revision of this datastore)",
      ],
      [
        await call({ method: "DELETE", path: `${pools}/a`, body: "1" }),
        "400 BadRequest DeleteOptions is a JSON object",
      ],
      [
        await call({ method: "DELETE", path: `${pools}/a`, body: '{"preconditions":1}' }),
        "400 BadRequest preconditions is a JSON object",
      ],
      [
        await call({
          method: "POST",
          path: "/apis/projectcalico.org/v3/namespaces/red/workloadendpoints",
          body: '{"apiVersion":"projectcalico.org/v3","kind":"WorkloadEndpoint","metadata":{"namespace":"blue"}}',
        }),
        "400 BadRequest the namespace of the object (blue) does not match the namespace on the URL (red)",
      ],
      [
        await call({ method: "DELETE", path: `${pools}/a`, body: '{"preconditions":{"uid":1}}' }),
        "400 BadRequest preconditions.resourceVersion and preconditions.uid are strings",
      ],
    ];
    for (const [answer, expected] of rows) {
      const text = failure(answer);
      if (typeof expected === "string") assert.equal(text, expected);
      else assert.match(text, expected);
    }
    const list = (await call({ path: pools })).body as { items: unknown[] };
    assert.equal(list.items.length, 1);
  });
});

test("discovery, version and health", async () => {
  await withServer(async ({ call }) => {
    const groups = (await call({ path: "/apis" })).body as { groups: { name: string }[] };
    assert.deepEqual(
      groups.groups.map((group) => group.name),
      ["projectcalico.org", "switchyard.io", "discovery.k8s.io"],
    );
    const resources = (await call({ path: "/apis/projectcalico.org/v3" })).body as {
      resources: { name: string; kind: string; namespaced: boolean }[];
    };
    const found = resources.resources.filter((entry) => !entry.name.includes("/"));
    assert.equal(found.length, 12);
    const workloads = found.find((entry) => entry.kind === "WorkloadEndpoint");
    assert.deepEqual([workloads?.name, workloads?.namespaced], ["workloadendpoints", true]);
    for (const { name } of found) {
      assert.equal((await call({ path: `/apis/projectcalico.org/v3/${name}` })).code, 200, name);
    }
    assert.deepEqual(((await call({ path: "/api" })).body as { versions: string[] }).versions, [
      "v1",
    ]);
    const core = (await call({ path: "/api/v1" })).body as { resources: { name: string }[] };
    assert.deepEqual(
      core.resources.map(({ name }) => name),
      ["services", "services/status"],
    );
    const version = (await call({ path: "/version" })).body as { gitVersion: string };
    assert.match(version.gitVersion, /^v\d+\.\d+\.\d+$/);
    assert.deepEqual(await call({ path: "/healthz" }), { code: 200, body: "ok" });
    assert.deepEqual(await call({ path: "/readyz" }), { code: 200, body: "ok" });
  });
});

test("a first start makes the cluster's identity", async () => {
  await withServer(async ({ store }) => {
    const { spec } = await store.get("ClusterInformation", "default");
    assert.match(spec.clusterGUID ?? "", /^[0-9a-f]{32}$/);
    assert.equal(spec.datastoreReady, true);
  });
});

test("the status subresource changes the status and nothing else", async () => {
  await withServer(async ({ store, call }) => {
    const path = "/apis/projectcalico.org/v3/nodes";
    const node = await store.create({
      apiVersion: "projectcalico.org/v3",
      kind: "Node",
      metadata: { name: "n" },
      spec: { ipv4VXLANTunnelAddr: "10.0.0.1" },
    });
    const body = JSON.stringify({ ...node, spec: {}, status: { podCIDRs: ["10.0.0.0/24"] } });
    assert.equal((await call({ method: "PUT", path: `${path}/n/status`, body })).code, 200);
    assert.equal(
      failure(await call({ method: "PUT", path: `${path}/n/status`, body })),
      "409 Conflict update conflict: Node(n)",
    );
    const { spec, status } = await store.get("Node", "n");
    assert.deepEqual({ spec, status }, { spec: node.spec, status: { podCIDRs: ["10.0.0.0/24"] } });
  });
});

test("a watch without a revision begins with what exists, and hides bookmarks unless asked", async () => {
  await withServer(async ({ place, store, call }) => {
    await call({ method: "POST", path: pools, body: poolText("a", { cidr: "10.0.0.0/16" }) });
    const socket = connect({ path: place.socketPath });
    socket.write(`GET ${pools}?watch=true HTTP/1.1\r\nHost: x\r\n\r\n`);
    let text = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk) => {
      text += chunk;
    });
    await store.create({
      apiVersion: "projectcalico.org/v3",
      kind: "IPPool",
      metadata: { name: "b" },
      spec: { cidr: "11.0.0.0/16" },
    });
    while (!text.includes('"name":"b"'))
      await new Promise((resolve) => socket.once("data", resolve));
    const types = [...text.matchAll(/"type":"([A-Z]+)","object":\{/g)].map((match) => match[1]);
    assert.deepEqual(types, ["ADDED", "ADDED"]);
    socket.destroy();
  });
});

test("a quiet watch that asked for bookmarks hears one every half minute", async () => {
  const clock = new FakeClock();
  await withServer(async ({ store }) => {
    const stop = new AbortController();
    const { resourceVersion } = await store.list("Node");
    const watch = store.watch("Node", { resourceVersion, signal: stop.signal });
    const events = watch[Symbol.asyncIterator]();
    const bookmark = { type: "bookmark", resourceVersion };
    assert.deepEqual((await events.next()).value, bookmark);
    for (let i = 0; i < 3; i++) {
      const next = events.next();
      await clock.advance(30_000);
      assert.deepEqual((await next).value, bookmark);
    }
    stop.abort();
    await events.return?.();
  }, clock);
});

async function isAlive({ call }: Served): Promise<boolean> {
  return (await call({ path: "/healthz" })).code === 200;
}

test("no bytes on the socket bring the server down", { timeout: 60_000 }, async () => {
  await withServer(async (served) => {
    const start = fc.constantFrom(
      "",
      "GET / HTTP/1.1\r\n",
      `POST ${pools} HTTP/1.1\r\nContent-Length: 5\r\n\r\n`,
      "GET /apis HTTP/1.1\r\nHost: x\r\n\r\n",
    );
    await fc.assert(
      fc.asyncProperty(start, fc.uint8Array({ maxLength: 200 }), async (head, tail) => {
        await new Promise<void>((resolve) => {
          const socket = connect({ path: served.place.socketPath });
          socket.on("error", () => resolve());
          socket.on("close", () => resolve());
          socket.on("connect", () => {
            socket.write(head);
            socket.end(tail);
          });
          socket.resume();
        });
        assert.ok(await isAlive(served));
      }),
      { numRuns: 100 },
    );
  });
});

test("no request brings the server down or is answered by 500", { timeout: 60_000 }, async () => {
  await withServer(async (served) => {
    const method = fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS");
    const segment = fc.constantFrom(
      "apis",
      "projectcalico.org",
      "v3",
      "ippools",
      "nodes",
      "workloadendpoints",
      "namespaces",
      "a",
      "status",
      "%2e%2e",
      "__proto__",
    );
    const good = fc.constantFrom(
      pools,
      `${pools}/a`,
      `${pools}/a/status`,
      "/apis/projectcalico.org/v3/namespaces/n/workloadendpoints",
    );
    const path = fc.oneof(
      good,
      fc.array(segment).map((parts) => `/${parts.join("/")}`),
    );
    const json = fc.oneof(
      fc.json(),
      fc.jsonValue().map((spec) => poolText("a", spec as object)),
      fc.jsonValue().map((metadata) =>
        JSON.stringify({
          kind: "IPPool",
          apiVersion: "projectcalico.org/v3",
          metadata,
          spec: {},
        }),
      ),
      fc.string(),
    );
    await fc.assert(
      fc.asyncProperty(method, path, json, async (verb, where, body) => {
        const request = verb === "GET" ? {} : { body };
        const answer = await served.call({ method: verb, path: where, ...request });
        assert.ok(answer.code < 500, `${verb} ${where} ${body}: ${JSON.stringify(answer.body)}`);
      }),
      { numRuns: 400 },
    );
    assert.ok(await isAlive(served));
  });
});

const services = "/api/v1/namespaces/shop/services";
const serviceText = (name: string, app: string) =>
  JSON.stringify({
    ...{ apiVersion: "v1", kind: "Service", metadata: { name, labels: { app } } },
    spec: { clusterIP: "10.96.0.9", ports: [{ name: "http", port: 80 }] },
  });

test("lists are of what is selected, and a selector that is not understood selects nothing", async () => {
  await withServer(async ({ call }) => {
    for (const name of ["web", "api"]) {
      await call({ method: "POST", path: services, body: serviceText(name, name) });
    }
    const names = async (query: string) => {
      const { body } = await call({ path: `${services}?${query}` });
      return (body as { items: { metadata: { name: string } }[] }).items.map(
        ({ metadata }) => metadata.name,
      );
    };
    assert.deepEqual(await names("labelSelector=app%3Dweb"), ["web"]);
    assert.deepEqual(await names("fieldSelector=metadata.name%3Dapi&limit=500"), ["api"]);
    for (const watch of ["", "&watch=true"]) {
      assert.match(
        failure(await call({ path: `${services}?labelSelector=app%20web${watch}` })),
        /^400 BadRequest unable to parse the label selector: app web/,
      );
    }
  });
});

test("kubectl's patches of Services are merged by port; patches of other kinds are refused", async () => {
  await withServer(async ({ call }) => {
    await call({ method: "POST", path: services, body: serviceText("web", "web") });
    const patch = (body: object, contentType: string) =>
      call({ method: "PATCH", path: `${services}/web`, body: JSON.stringify(body), contentType });
    const order = [{ port: 443 }, { port: 80 }];
    const spec = { "$setElementOrder/ports": order, ports: [{ port: 443 }] };
    const { body } = await patch({ spec }, "application/strategic-merge-patch+json");
    assert.deepEqual((body as { spec: object }).spec, {
      clusterIP: "10.96.0.9",
      ports: [{ port: 443 }, { name: "http", port: 80 }],
    });
    for (const type of ["application/json-patch+json", "application/apply-patch+yaml"]) {
      assert.equal(
        failure(await patch([], type)),
        `400 BadRequest a patch of type ${type} is not understood, merge patches are`,
      );
    }
  });
});

test("kubectl is told short names, and that fields are looked at here", async () => {
  await withServer(async ({ call }) => {
    const { resources } = (await call({ path: "/api/v1" })).body as {
      resources: { name: string; shortNames?: string[] }[];
    };
    assert.deepEqual(resources.find(({ name }) => name === "services")?.shortNames, ["svc"]);
    const { paths } = (await call({ path: "/openapi/v3" })).body as {
      paths: Record<string, { serverRelativeURL: string }>;
    };
    assert.ok(paths["api/v1"]);
    const path = paths["apis/projectcalico.org/v3"]!.serverRelativeURL;
    const document = (await call({ path })).body as {
      paths: Record<string, { patch: { parameters: { name: string }[] } }>;
    };
    const { parameters } = document.paths["/apis/projectcalico.org/v3/ippools/{name}"]!.patch;
    assert.deepEqual(
      parameters.map(({ name }) => name),
      ["fieldValidation"],
    );
  });
});
