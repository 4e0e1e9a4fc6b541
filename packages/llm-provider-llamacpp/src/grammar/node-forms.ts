import { isRecord } from "./json-values.ts";
import { ANNOTATIONS } from "./keywords.ts";
import { below, type Located } from "./pointer.ts";
import { invalid } from "./reader.ts";

/** The keyword's branches, checked to be a list that is not empty. */
export function branches(
  node: Readonly<Record<string, unknown>>,
  keyword: string,
  pointer: string,
): readonly Located[] {
  const value = node[keyword];
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length === 0)
    throw invalid(below(pointer, keyword), "it must be a list with at least one schema");
  return value.map((branch: unknown, index) => ({ node: branch, pointer: below(pointer, keyword, index) }));
}

/** Several generators write `{ "allOf": [{ "$ref": … }], "description": … }` for a reference with a remark. */
export function unwrap(located: Located): Located;
export function unwrap(located: Located | undefined): Located | undefined;
export function unwrap(located: Located | undefined): Located | undefined {
  if (!isRecord(located?.node)) return located;
  const { allOf, ...rest } = located.node;
  const alone =
    Array.isArray(allOf) && allOf.length === 1 && Object.keys(rest).every((key) => ANNOTATIONS.has(key));
  return alone ? { node: allOf[0], pointer: below(located.pointer, "allOf", 0) } : located;
}

/** `{ "properties": … }` alone also fits every string: what we take it to mean does not count here. */
export function saysItsType(node: unknown): boolean {
  return (
    isRecord(node) &&
    ["type", "const", "enum", "$ref", "allOf", "anyOf", "oneOf"].some((keyword) => keyword in node)
  );
}

export function isPureReference(node: unknown): boolean {
  return (
    isRecord(node) &&
    typeof node["$ref"] === "string" &&
    Object.keys(node).every((key) => key === "$ref" || ANNOTATIONS.has(key))
  );
}

export function checkPattern(pattern: unknown, pointer: string): void {
  try {
    if (typeof pattern !== "string") throw new TypeError("it is no string");
    RegExp(pattern, "u");
  } catch (error) {
    throw invalid(pointer, error instanceof Error ? error.message : String(error));
  }
}

export function describe(all: readonly Located[]): string | undefined {
  for (const { node } of all) {
    if (isRecord(node) && typeof node["description"] === "string") return node["description"];
  }
  return undefined;
}
