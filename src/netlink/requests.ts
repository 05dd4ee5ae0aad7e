/** Makers of {@link Request}s for `RouteSocket.execute`, in the verbs of iproute2. */

export { addressAdd, addressDelete, addressReplace } from "./address.ts";
export { type FdbKey, fdbAppend, fdbDelete, fdbReplace } from "./fdb.ts";
export { linkDelete, linkSet } from "./link-request.ts";
export { neighbourDelete, neighbourReplace } from "./neighbour.ts";
export { nextHopAdd, nextHopDelete, nextHopReplace } from "./next-hop-object.ts";
export { routeAdd, routeAppend, routeDelete, routeReplace } from "./route-request.ts";
export { ruleAdd, ruleDelete } from "./rule.ts";
