/** Names: what a name may look like, and names derived from other things. */

import { formatPrefix, type Prefix } from "../lib/index.ts";

const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
/** RFC 1123 subdomain as Kubernetes writes it; messages quote it. */
export const subdomainFormat = `${label}(\\.${label})*`;
const subdomain = new RegExp(`^${subdomainFormat}$`);
export const maximumNameLength = 253;

export function isSubdomain(text: string): boolean {
  return text.length <= maximumNameLength && subdomain.test(text);
}

export function matchesSubdomain(text: string): boolean {
  return subdomain.test(text);
}

/** `10.0.0.0/26` as an object name: `10-0-0-0-26`. */
export function cidrName(cidr: string | Prefix): string {
  const text = typeof cidr === "string" ? cidr : formatPrefix(cidr);
  return text.replace(/[.:/]/g, "-");
}
