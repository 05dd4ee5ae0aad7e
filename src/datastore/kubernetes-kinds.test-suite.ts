/** What every datastore must do with Kubernetes' own kinds, which look a little different. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ResourceOf } from "../model/index.ts";
import type { ContractOptions } from "./contract.test-suite.ts";

export function kubernetesKindsContract(options: ContractOptions): void {
  test(`${options.name}: a Service comes back as it was given`, async () => {
    const { store, close } = await options.open();
    const metadata = { name: "web", namespace: "shop" };
    const spec = { clusterIP: "10.96.0.9", ports: [{ port: 80 }] };
    const service = await store.create<"Service">({
      ...{ apiVersion: "v1", kind: "Service", metadata },
      spec,
    });
    assert.deepEqual(service.spec, spec);
    assert.equal((await store.list("Service", { namespace: "other" })).items.length, 0);
    assert.deepEqual(await store.get("Service", "web", { namespace: "shop" }), service);
    await close();
  });

  test(`${options.name}: an EndpointSlice has no spec`, async () => {
    const { store, close } = await options.open();
    const body = { addressType: "IPv4", endpoints: [{ addresses: ["10.0.0.1"], nodeName: "n" }] };
    const type = { apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice" };
    const { resourceVersion } = await store.list("EndpointSlice");
    const slice = { ...type, metadata: { name: "web-1", namespace: "shop" }, ...body };
    await store.create(slice as unknown as ResourceOf<"EndpointSlice">);
    for await (const event of store.watch("EndpointSlice", { resourceVersion })) {
      if (event.type === "bookmark") continue;
      const { metadata, ...rest } = event.resource;
      assert.equal(metadata.namespace, "shop");
      assert.deepEqual(rest, { ...type, ...body });
      break;
    }
    await close();
  });
}
