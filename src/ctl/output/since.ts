/** Times as BIRD shows them. */

const dayMs = 24 * 3600 * 1000;

/** As BIRD shortens it: the time of day, or the date once that would be ambiguous. */
export function sinceText(since: string, nowMs: number): string {
  const date = new Date(since);
  if (Number.isNaN(date.getTime())) return since;
  const two = (value: number) => String(value).padStart(2, "0");
  if (nowMs - date.getTime() < dayMs) {
    return [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  }
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(two).join("-");
}
