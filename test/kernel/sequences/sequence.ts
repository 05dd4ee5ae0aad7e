/**
 * One random life of a node: the cluster changes, somebody tampers with the host, the driver dies and
 * is born again. In the end the kernel must hold exactly what is planned, object by object, as the
 * driver compares it and as iproute2 shows it.
 */

import assert from "node:assert/strict";
import { type Dataplane, openDataplane } from "../../../src/dataplane/index.ts";
import { systemClock } from "../../../src/lib/index.ts";
import { silentLog } from "../../../src/lib/log/index.ts";
import { type NodePlan, plan, renderRoute } from "../../../src/plan/index.ts";
import { ClusterModel, LOCAL_ADDRESS, LOCAL_ADDRESS6 } from "./cluster-model.ts";
import type { Host } from "./host.ts";
import { Random } from "./random.ts";

const STEPS = 10;
/** A refused object is tried again; a plan may need the next look at what the kernel sends. */
const MOST_ROUNDS = 8;

/** @throws AssertionError that tells the seed and every step. */
export async function playSequence(host: Host, seed: number): Promise<void> {
  const random = new Random(seed);
  const model = new ClusterModel(random);
  const story: string[] = [];
  let driver = await open(host);
  try {
    const foreign = host.foreign();
    for (let step = 0; step < STEPS; step++) {
      if (random.chance(0.7)) story.push(model.change());
      if (random.chance(0.3)) story.push(host.drift(random));
      if (random.chance(0.15)) {
        // What a kill leaves: the kernel as it is, and nobody who remembers.
        await driver.close();
        driver = await open(host);
        story.push("driver dies");
      }
      if (random.chance(0.7)) {
        await applyOnce(driver, model);
        story.push("apply");
      }
    }
    const wanted = await settle(driver, model);
    const { differences } = await driver.compare(wanted);
    assert.deepEqual(differences, []);
    assert.deepEqual([...shownRoutes(host), ...shownRoutes6(host)].sort(), plannedRoutes(wanted));
    assert.deepEqual(shownNeighbours(host), plannedNeighbours(wanted));
    assert.equal(host.foreign(), foreign, "what is not ours");
  } catch (error) {
    const message = `SEED=${seed}: ${story.join("; ")}\n${(error as Error).message}`;
    throw Object.assign(error as Error, { message });
  } finally {
    await driver.close();
  }
}

function open(host: Host): Promise<Dataplane> {
  return openDataplane({
    namespace: host.path,
    clock: systemClock,
    log: silentLog,
    firewallCheckMs: 0,
  });
}

async function applyOnce(driver: Dataplane, model: ClusterModel) {
  const wanted = plan(model.snapshot(await driver.read(LOCAL_ADDRESS, LOCAL_ADDRESS6)));
  return { wanted, actual: await driver.apply(wanted) };
}

async function settle(driver: Dataplane, model: ClusterModel): Promise<NodePlan> {
  for (let round = 0; ; round++) {
    const { wanted, actual } = await applyOnce(driver, model);
    if (actual.failures.length === 0 && actual.changes === 0) return wanted;
    if (round === MOST_ROUNDS) {
      assert.fail(
        `not settled: ${actual.changes} changes, failures ${JSON.stringify(actual.failures)}`,
      );
    }
  }
}

function plannedRoutes(wanted: NodePlan): string[] {
  return wanted.routes.map(renderRoute).sort();
}

/** Routes of our protocols and of our pods, as iproute2 prints them. */
function shownRoutes(host: Host): string[] {
  const lines = host
    .run("ip route show proto bird; ip route show proto 80; ip route show proto boot")
    .split("\n");
  return lines
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("default"))
    .map(withProtocol(host))
    .sort();
}

/** Those of pods have no protocol in this listing; the kernel's own are about devices' addresses. */
function shownRoutes6(host: Host): string[] {
  const lines = host.run("ip -6 route show").split("\n");
  return lines
    .map((line) => line.trim())
    .filter((line) => / proto (bird|80) /.test(line) || / dev cali\S+ metric 1024 /.test(line));
}

/** `ip route show proto X` leaves `proto X` out. */
function withProtocol(host: Host): (line: string) => string {
  const full = host
    .run("ip route show")
    .split("\n")
    .map((line) => line.trim());
  return (line) =>
    full.find((candidate) => candidate.replace(/ proto (bird|80|boot)/, "") === line) ??
    `? ${line}`;
}

function plannedNeighbours({ vxlan, vxlan6 }: NodePlan): string[] {
  const neighbours = [...(vxlan?.neighbours ?? []), ...(vxlan6?.neighbours ?? [])];
  return neighbours.map((neighbour) => neighbour.mac).sort();
}

function shownNeighbours(host: Host): string[] {
  const shown = host.run(
    `ip neigh show nud permanent dev vxlan.calico 2>/dev/null || true
     ip -6 neigh show nud permanent dev vxlan-v6.calico 2>/dev/null || true`,
  );
  return [...shown.matchAll(/lladdr (\S+)/g)].map(([, mac]) => mac ?? "").sort();
}
