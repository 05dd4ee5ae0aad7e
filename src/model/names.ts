/** What the name of an object may look like. */

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
