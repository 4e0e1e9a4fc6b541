/** Figures as people read them: two significant digits, units that fit. */

const byteUnits = [
  ["GB", 1_000_000_000],
  ["MB", 1_000_000],
] as const;
const whole = new Intl.NumberFormat("en");

export function count(value: number): string {
  return whole.format(value);
}

export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

export function bytes(value: number): string {
  if (value < 1000) return `${value} B`;
  if (value < 1_000_000) return `${twoDigits(value / 1000)} kB`;
  if (value < 1_000_000_000) return `${twoDigits(value / 1_000_000)} MB`;
  return `${twoDigits(value / 1_000_000_000)} GB`;
}

/** Two sizes with one unit: "2.1 of 4.7 GB". */
export function bytesOf(done: number, total: number): string {
  const [unit, size] = byteUnits.find(([, least]) => total >= least) ?? ["kB", 1000];
  return `${twoDigits(done / size)} of ${twoDigits(total / size)} ${unit}`;
}

export function duration(ms: number): string {
  if (ms < 1) return "under 1 ms";
  if (ms < 1000) return `${twoDigits(ms)} ms`;
  if (ms < 60_000) return `${twoDigits(ms / 1000)} s`;
  const minutes = Math.floor(ms / 60_000);
  return `${minutes} min ${Math.round((ms % 60_000) / 1000)} s`;
}

export function speed(tokensPerSecond: number): string {
  return `${twoDigits(tokensPerSecond)} tokens/s`;
}

export function score(value: number | undefined): string {
  return value === undefined ? "–" : value.toFixed(2);
}

/** "4 minutes ago"; the exact time belongs in the title beside it. */
export function ago(iso: string, now = Date.now()): string {
  const seconds = Math.max(0, (now - Date.parse(iso)) / 1000);
  if (seconds < 45) return "just now";
  const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  if (seconds < 45 * 60) return relative.format(-Math.max(1, Math.round(seconds / 60)), "minute");
  if (seconds < 22 * 3600) return relative.format(-Math.round(seconds / 3600), "hour");
  return relative.format(-Math.round(seconds / 86_400), "day");
}

export function exactTime(iso: string): string {
  return new Date(iso).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

function twoDigits(value: number): string {
  if (value >= 100) return whole.format(Math.round(value));
  if (value >= 10) return String(Math.round(value));
  return String(Number(value.toPrecision(2)));
}
