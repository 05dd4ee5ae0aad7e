/** What agents see of their sessions and of what these should have told. */

import type { TrapKind } from "../types.ts";
import { listed, nodesListed } from "../words.ts";

export const bgpSessionDown: TrapKind = {
  code: "BGP_SESSION_DOWN",
  meaning:
    "A BGP session is not Established. Every mode but `vxlan` takes its routes from BGP; one more session that ends and routes may be missing.",
  remedy: "See `switchyard node status` on the node: it says what ended the session.",
  find: ({ nodes, needsBgp, spec }) => {
    if (!needsBgp) return [];
    const down = nodes.flatMap(({ name, host }) =>
      (host?.bgp?.peers ?? []).flatMap(({ address, kind, state, reason }) => {
        // The sessions of a mesh that is to end need not be there.
        const irrelevant = spec.mesh === "off" && kind === "node-to-node mesh";
        if (state === "Established" || irrelevant) return [];
        return [{ name, text: `${address}: ${state}${reason ? `, ${reason}` : ""}` }];
      }),
    );
    const [first] = down;
    if (!first) return [];
    const names = [...new Set(down.map(({ name }) => name))];
    const message = `BGP sessions of ${nodesListed(names)} are down (${first.name} with ${first.text})`;
    const severity = spec.mesh === "off" ? "refuse" : "warn";
    return [{ severity, message, nodes: names }];
  },
};

export const bgpRoutesMissing: TrapKind = {
  code: "BGP_ROUTES_MISSING",
  meaning:
    "No BGP session has told a node of some blocks of other nodes. In every mode but `vxlan` it could not move their routes: it would keep the old mode towards them for ever.",
  remedy:
    "See `switchyard node status`: sessions that are down, or route reflectors and routers that keep routes back.",
  find: ({ nodes, needsBgp, spec }) => {
    if (!needsBgp || spec.mesh !== undefined) return [];
    const lacking = nodes.filter(({ host }) => (host?.bgp?.missing.count ?? 0) > 0);
    const [first] = lacking;
    const missing = first?.host?.bgp?.missing;
    if (!first || !missing) return [];
    const names = lacking.map(({ name }) => name);
    const message = `${nodesListed(names)} ${names.length === 1 ? "has" : "have"} not learned all blocks by BGP (${first.name} lacks ${missing.count}: ${listed(missing.blocks)})`;
    return [{ severity: "refuse", message, nodes: names }];
  },
};
