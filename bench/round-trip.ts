/** A way over every ordered pair of different things, each once, that ends where it begins. Pure. */

/** By Hierholzer's method: every thing has as many pairs that lead to it as away from it, so there is such a way. */
export function roundTrip<T>(things: readonly T[], start: T): (readonly [T, T])[] {
  const left = new Map(things.map((from) => [from, things.filter((to) => to !== from)]));
  const open = [start];
  const closed: T[] = [];
  while (open.length > 0) {
    const here = open.at(-1) as T;
    const next = left.get(here)?.shift();
    if (next === undefined) closed.push(open.pop() as T);
    else open.push(next);
  }
  closed.reverse();
  return closed.slice(1).map((to, index) => [closed[index] as T, to] as const);
}
