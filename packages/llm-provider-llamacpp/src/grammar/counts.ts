import type { Source } from "./alternative.ts";
import { below } from "./pointer.ts";
import { invalid } from "./reader.ts";

/** The strictest lower count that any of them gives. */
export function largest(sources: readonly Source[], keyword: string): number | undefined {
  const values = counts(sources, keyword);
  return values.length === 0 ? undefined : Math.max(...values);
}

/** The strictest upper one. */
export function smallest(sources: readonly Source[], keyword: string): number | undefined {
  const values = counts(sources, keyword);
  return values.length === 0 ? undefined : Math.min(...values);
}

function counts(sources: readonly Source[], keyword: string): readonly number[] {
  return sources.flatMap(({ node, pointer }) => {
    const value = node[keyword];
    if (value === undefined) return [];
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
      throw invalid(below(pointer, keyword), "it must be a whole number, not below 0");
    }
    return [value];
  });
}
