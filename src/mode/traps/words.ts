/** Lists of names in a sentence. */

/** `a`, `a and b`, `a, b and c`, `a, b, c and 5 more`. */
export function listed(names: readonly string[], most = 4): string {
  const shown = names.slice(0, most);
  const more = names.length - shown.length;
  const parts = more > 0 ? [...shown, `${more} more`] : shown;
  const last = parts.at(-1) ?? "";
  return parts.length < 2 ? last : `${parts.slice(0, -1).join(", ")} and ${last}`;
}

/** `node a`, or `nodes a and b`. */
export function nodesListed(names: readonly string[]): string {
  return `${names.length === 1 ? "node" : "nodes"} ${listed(names)}`;
}
