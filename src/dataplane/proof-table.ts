/**
 * The routing table of a proof and the rules that lead to it: ours by their numbers, whoever wrote them.
 * What refuses comes first, then the ways, then the rules: no packet of a proof finds the table half made.
 */

import { formatPrefix, type Prefix, prefixFamily } from "../lib/index.ts";
import {
  formatRoute,
  formatRule,
  type Route,
  type RouteSocket,
  type Rule,
  routeDelete,
  routeReplace,
  ruleAdd,
  ruleDelete,
} from "../netlink/index.ts";
import {
  PROOF_RULE_PRIORITY,
  PROOF_TABLE,
  type ProofPlan,
  type ProofRule,
  type RoutePlan,
} from "../plan/index.ts";
import type { ApplyRun } from "./apply-context.ts";
import { writeBatch } from "./write-batch.ts";

export interface HeldProof {
  readonly rules: readonly Rule[];
  readonly routes: readonly Route[];
}

/** What is in the kernel of both families. */
export async function readProof(socket: RouteSocket): Promise<HeldProof> {
  const rules = [...(await socket.rules(4)), ...(await socket.rules(6))].filter(
    ({ priority, table }) => priority === PROOF_RULE_PRIORITY && table === PROOF_TABLE,
  );
  const routes = [
    ...(await socket.routes({ family: 4, table: PROOF_TABLE })),
    ...(await socket.routes({ family: 6, table: PROOF_TABLE })),
  ];
  return { rules, routes };
}

/** Adds and replaces before it takes away; without a plan everything goes, what leads there first. */
export async function applyProof(
  run: ApplyRun,
  /** Why a route must not be written now. */
  obstacle: (route: RoutePlan) => string | undefined,
): Promise<void> {
  const { plan, ledger } = run;
  let held: HeldProof | undefined;
  await ledger.attempt(`table ${PROOF_TABLE}`, async () => {
    held = await readProof(run.socket);
    return 0;
  });
  if (held === undefined) return;
  if (plan.proof) await writeProof(run, { proof: plan.proof, held, obstacle });
  await removeProof(run, plan.proof, held);
}

async function writeProof(
  run: ApplyRun,
  wish: {
    readonly proof: ProofPlan;
    readonly held: HeldProof;
    readonly obstacle: (route: RoutePlan) => string | undefined;
  },
): Promise<void> {
  const { proof, held, obstacle } = wish;
  const { linkName } = run.tables;
  const heldRoutes = new Set(held.routes.map((route) => textOf(run, route)));
  const routes = proof.routes.flatMap((planned) => {
    const object = routeObject(planned.destination);
    const why = obstacle(planned) ?? missingDevice(run, planned);
    if (why !== undefined) {
      run.ledger.fail(object, `${object} was not written: ${why}`);
      return [];
    }
    const item = routeOf(run, planned);
    if (heldRoutes.has(textOf(run, item))) return [];
    return [{ object, request: routeReplace(item, linkName), item }];
  });
  await writeBatch(run.socket, routes, run.ledger);
  const heldRules = new Set(held.rules.map(formatRule));
  const rules = proof.rules
    .map(ruleOf)
    .filter((rule) => !heldRules.has(formatRule(rule)))
    .map((item) => ({ object: `rule ${formatRule(item)}`, request: ruleAdd(item), item }));
  await writeBatch(run.socket, rules, run.ledger);
}

async function removeProof(run: ApplyRun, proof: ProofPlan | undefined, held: HeldProof) {
  const { linkName } = run.tables;
  const wantedRules = new Set((proof?.rules ?? []).map((rule) => formatRule(ruleOf(rule))));
  const wanted = new Set((proof?.routes ?? []).map(({ destination }) => formatPrefix(destination)));
  await writeBatch<unknown>(
    run.socket,
    [
      ...held.rules
        .filter((rule) => !wantedRules.has(formatRule(rule)))
        .map((item) => ({ object: `rule ${formatRule(item)}`, request: ruleDelete(item), item })),
      ...held.routes
        .filter(({ destination }) => !wanted.has(formatPrefix(destination)))
        .map((item) => ({
          object: routeObject(item.destination),
          request: routeDelete(item, linkName),
          item,
        })),
    ],
    run.ledger,
  );
}

function ruleOf({ priority, source, ipProtocol, end, port, table }: ProofRule): Rule {
  const ports = port === undefined ? undefined : { low: port, high: port };
  return {
    family: prefixFamily(source),
    priority,
    table,
    source,
    ipProtocol,
    ...(ports && (end === "source" ? { sourcePorts: ports } : { destinationPorts: ports })),
  };
}

function missingDevice(run: ApplyRun, { device }: RoutePlan): string | undefined {
  if (device === undefined || run.link(device) !== undefined) return undefined;
  return `device ${device} does not exist`;
}

function routeOf(run: ApplyRun, planned: RoutePlan): Route {
  const { kind: type, destination, gateway, device, onlink, scope, protocol } = planned;
  const index = device === undefined ? undefined : run.link(device)?.index;
  return {
    type,
    destination,
    table: PROOF_TABLE,
    protocol,
    scope,
    ...(gateway === undefined ? {} : { gateway }),
    ...(index === undefined ? {} : { device: index }),
    ...(onlink ? { onlink } : {}),
  };
}

/** What both the planned and the kernel's route say: without what the kernel adds (metric, `lo`, flags). */
function textOf(run: ApplyRun, route: Route): string {
  const { flags: _, metric: __, preference: ___, device, ...same } = route;
  const ours = route.type === "unicast" && device !== undefined ? { device } : {};
  return formatRoute({ ...same, ...ours }, run.tables.linkName);
}

function routeObject(destination: Prefix): string {
  return `route ${formatPrefix(destination)} table ${PROOF_TABLE}`;
}
