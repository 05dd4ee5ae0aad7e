/** Times as BIRD shows them. */

const dayMs = 24 * 3600 * 1000;

/** As BIRD shortens it: the time of day, or the date once that would be ambiguous. */
export function sinceText(since: string, nowMs: number): string {
  return isOld(since, nowMs) ? dateText(new Date(since)) : timeText(since);
}

/** The date beside the time where that alone would be ambiguous: when it was is what is asked. */
export function momentText(at: string, nowMs: number): string {
  return isOld(at, nowMs) ? `${dateText(new Date(at))} ${timeText(at)}` : timeText(at);
}

function isOld(at: string, nowMs: number): boolean {
  return nowMs - Date.parse(at) >= dayMs;
}

function timeText(at: string): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return at;
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
}

function dateText(date: Date): string {
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(two).join("-");
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
