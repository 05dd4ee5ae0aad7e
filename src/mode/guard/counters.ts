/**
 * What the kernel counts of packets that came to nothing, read from its text files. Pure. A file that does not
 * look as it should says nothing; a counter that a kernel does not have is not there.
 */

/** By name: `Ip.OutNoRoutes`, `eth0 txDropped`. */
export type Counters = Readonly<Record<string, number>>;

/**
 * `/proc/net/snmp` and `/proc/net/netstat`: pairs of lines with one prefix, names above values. Of the names
 * asked for, those that are there.
 */
export function parseSnmp(text: string, wanted: ReadonlySet<string>): Counters {
  const found: Record<string, number> = {};
  const lines = text.split("\n");
  for (let index = 0; index + 1 < lines.length; index += 2) {
    const [prefix, ...names] = words(lines[index]);
    const [samePrefix, ...values] = words(lines[index + 1]);
    if (!prefix?.endsWith(":") || prefix !== samePrefix || names.length !== values.length) continue;
    names.forEach((name, at) => {
      const full = `${prefix.slice(0, -1)}.${name}`;
      const value = number(values[at], 10);
      if (wanted.has(full) && value !== undefined) found[full] = value;
    });
  }
  return found;
}

/** `/proc/net/snmp6`: a name and a value in each line. */
export function parseSnmp6(text: string, wanted: ReadonlySet<string>): Counters {
  const found: Record<string, number> = {};
  for (const line of text.split("\n")) {
    const [name, digits, ...more] = words(line);
    const value = number(digits, 10);
    if (name === undefined || value === undefined || more.length > 0 || !wanted.has(name)) continue;
    found[name] = value;
  }
  return found;
}

/** `/proc/net/dev`: two lines of head, then 8 values received and 8 sent of each device. */
export function parseDevices(text: string, devices: ReadonlySet<string>): Counters {
  const found: Record<string, number> = {};
  for (const line of text.split("\n").slice(2)) {
    const end = line.lastIndexOf(":");
    const device = line.slice(0, Math.max(0, end)).trim();
    const values = words(line.slice(end + 1)).map((digits) => number(digits, 10));
    if (!devices.has(device) || values.length !== 16 || values.includes(undefined)) continue;
    for (const [name, column] of deviceColumns) found[`${device} ${name}`] = values[column] ?? 0;
  }
  return found;
}

const deviceColumns = [
  ["rxErrors", 2],
  ["rxDropped", 3],
  ["txErrors", 10],
  ["txDropped", 11],
] as const;

/** `/proc/net/stat/nf_conntrack`: names above, then a line of hexadecimal values for each processor. */
export function parseConntrack(text: string): Counters {
  const [head, ...rows] = text.trim().split("\n");
  const names = words(head);
  const found: Record<string, number> = {};
  for (const name of ["invalid", "insert_failed", "drop"]) {
    const column = names.indexOf(name);
    const values = rows.map((row) => number(words(row)[column], 16));
    if (column < 0 || values.length === 0 || values.includes(undefined)) continue;
    found[`conntrack.${name}`] = values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
  }
  return found;
}

/** What each counter has risen by; one that fell (a device made anew) has risen by what it shows. */
export function risen(before: Counters, now: Counters): Counters {
  return Object.fromEntries(
    Object.entries(now).map(([name, value]) => {
      const since = before[name] ?? value;
      return [name, value >= since ? value - since : value];
    }),
  );
}

function words(line: string | undefined): string[] {
  return (line ?? "").trim().split(/\s+/).filter(Boolean);
}

function number(text: string | undefined, radix: 10 | 16): number | undefined {
  const digits = radix === 10 ? /^-?[0-9]+$/ : /^[0-9a-f]+$/i;
  if (text === undefined || !digits.test(text)) return undefined;
  const value = Number.parseInt(text, radix);
  return Number.isSafeInteger(value) ? value : undefined;
}
