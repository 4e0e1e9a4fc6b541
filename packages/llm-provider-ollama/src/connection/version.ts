/** The oldest server that this provider knows how to talk to: before it a schema was no format. */
export const OLDEST = "0.5.0";

/** The first that knows `think`. */
export const THINKS = "0.9.0";

/** Whether `version` is `least` or later. Builds that were given no version say 0.0.0: they are counted as unknown. */
export function isAtLeast(version: string, least: string): boolean {
  return isKnown(version) && compare(version, least) >= 0;
}

export function isBefore(version: string, first: string): boolean {
  return isKnown(version) && compare(version, first) < 0;
}

const isKnown = (version: string): boolean => /^v?\d+\.\d+/.test(version) && !/^v?0\.0\.0/.test(version);

function compare(one: string, other: string): number {
  const [a, b] = [partsOf(one), partsOf(other)];
  for (const [index, part] of a.entries()) {
    const difference = part - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** `0.13.5-rc1`: three numbers; what follows does not count. */
function partsOf(version: string): readonly number[] {
  const [, major, minor, patch = "0"] = /^v?(\d+)\.(\d+)(?:\.(\d+))?/.exec(version) ?? [];
  return [Number(major), Number(minor), Number(patch)];
}
