/** BGPPeer: which fields exclude or need each other. */

import { familyOf, parseAddress } from "../../lib/index.ts";
import { type FieldError, validationError } from "../errors.ts";
import type { BGPPeer } from "../resource.ts";
import { FieldChecks } from "./primitives.ts";
import type { ClientInput, RuleSet } from "./rule-set.ts";

function client({ resource, filters }: ClientInput<"BGPPeer">): BGPPeer {
  const missing = (resource.spec.filters ?? []).filter((name) => filters?.includes(name) === false);
  if (missing.length > 0) {
    const reason = "BGPFilter(s) not found";
    throw validationError([{ name: "BGPPeer.Spec.Filters", value: missing, reason }]);
  }
  return resource;
}

/** The address of `address`, `IPv4:port` or `[IPv6]:port`. */
function peerAddress(text: string) {
  const bracketed = /^\[(.*)\]:\d+$/.exec(text);
  return parseAddress(text) ?? parseAddress(bracketed?.[1] ?? text.split(":")[0] ?? "");
}

function validate({ spec }: BGPPeer): readonly FieldError[] {
  const checks = new FieldChecks();
  checks.tag("name", "Node", spec.node);
  checks.tag("selector", "NodeSelector", spec.nodeSelector);
  checks.tag("IP:port", "PeerIP", spec.peerIP);
  checks.tag("selector", "PeerSelector", spec.peerSelector);
  checks.tag("reachableBy", "ReachableBy", spec.reachableBy);
  checks.tagEach("name", "Filters", spec.filters);
  checks.tag("selector", "LocalWorkloadSelector", spec.localWorkloadSelector);
  if (spec.password?.secretKeyRef?.key === "") checks.tagRequired("Key", "");
  const reachable = parseAddress(spec.reachableBy ?? "");
  const peer = peerAddress(spec.peerIP ?? "");
  if (reachable !== undefined && peer !== undefined && familyOf(reachable) !== familyOf(peer)) {
    const reason = "ReachableBy and PeerIP address family mismatched";
    checks.add({ name: "ReachableBy", value: spec.reachableBy, reason });
  }
  return checks.errors;
}

function schema({ spec }: BGPPeer): readonly FieldError[] {
  const checks = new FieldChecks();
  const { node, nodeSelector, peerIP, peerSelector, localWorkloadSelector, reachableBy } = spec;
  const rule = (fails: boolean, message: string) => checks.require(!fails, "spec", message);
  const asNumber = Boolean(spec.asNumber);
  checks.maxLength("spec.node", node, 253);
  checks.maxLength("spec.peerIP", peerIP, 64);
  checks.maxLength("spec.reachableBy", reachableBy, 64);
  for (const field of ["nodeSelector", "peerSelector", "localWorkloadSelector"] as const) {
    checks.maxLength(`spec.${field}`, spec[field], 1024);
  }
  checks.range("spec.ttlSecurity", spec.ttlSecurity, [0, 255]);
  rule(Boolean(node && nodeSelector), "node and nodeSelector cannot both be set");
  rule(Boolean(peerIP && peerSelector), "peerIP and peerSelector cannot both be set");
  rule(asNumber && Boolean(peerSelector), "asNumber must be empty when peerSelector is set");
  if (localWorkloadSelector) {
    rule(Boolean(peerIP), "peerIP must be empty when localWorkloadSelector is set");
    rule(Boolean(peerSelector), "peerSelector must be empty when localWorkloadSelector is set");
    rule(!asNumber, "asNumber is required when localWorkloadSelector is set");
  }
  rule(Boolean(reachableBy) && !peerIP, "reachableBy must be empty when peerIP is empty");
  rule(
    spec.keepOriginalNextHop === true && spec.nextHopMode !== undefined,
    "keepOriginalNextHop and nextHopMode cannot both be set; keepOriginalNextHop is deprecated, use nextHopMode instead",
  );
  return checks.errors;
}

export const bgpPeerRules: RuleSet<"BGPPeer"> = { client, validate, schema };
