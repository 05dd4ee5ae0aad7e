/** Pieces of nft scripts that the tables of faults share. Pure. */

const tableName = "switchyard-fault";

export const tables = {
  /** At the router's ports. */
  port: `netdev ${tableName}`,
  /** Where packets come back that were led aside. */
  detour: `netdev ${tableName}-detour`,
  /** Where the router forwards between its subnets. */
  filter: `inet ${tableName}`,
} as const;

/** Name of the counter of what a fault has dropped or spoiled, in the table where it does that. */
export function counterName(id: number): string {
  return `fault-${id}`;
}

/** `counter name "fault-7"`. */
export function counted(id: number): string {
  return `counter name "${counterName(id)}"`;
}

export function countersOf(
  table: string,
  ids: { readonly kept: readonly number[]; readonly gone: readonly number[] },
): string[] {
  const add = (id: number) => `add counter ${table} ${counterName(id)}`;
  return [
    ...ids.kept.map(add),
    // What is deleted must be there: it is added first, which does nothing if it is.
    ...ids.gone.flatMap((id) => [add(id), `delete counter ${table} ${counterName(id)}`]),
  ];
}

export function withoutTable(table: string): string[] {
  return [`add table ${table}`, `delete table ${table}`];
}

/** A base chain that is there, and empty. */
export function emptyChain(table: string, name: string, hook: string): string[] {
  return [
    `add chain ${table} ${name} { type filter hook ${hook}; }`,
    `flush chain ${table} ${name}`,
  ];
}

export function anyOf(names: readonly string[]): string {
  return `{ ${names.map((name) => `"${name}"`).join(", ")} }`;
}

export function words(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(" ");
}
