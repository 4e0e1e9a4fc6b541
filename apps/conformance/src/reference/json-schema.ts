import type { JsonObject } from "@enginehouse/llm-core";

export interface SchemaFault {
  readonly path: readonly PropertyKey[];
  readonly says: string;
}

/** What of `value` does not fit, by the part of JSON Schema that `KNOWN` names. */
export function faultsOf(
  schema: unknown,
  value: unknown,
  path: readonly PropertyKey[] = [],
): readonly SchemaFault[] {
  if (typeof schema !== "object" || schema === null) return [];
  const rules = schema as Readonly<Record<string, unknown>>;
  const fault = (says: string, more: readonly PropertyKey[] = []): SchemaFault => ({
    path: [...path, ...more],
    says,
  });
  const { type, enum: words, const: constant, minimum, maximum, minLength, format, items } = rules;
  if (typeof type === "string" && !isOf(type, value))
    return [fault(`expected ${type}, got ${nameOf(value)}`)];
  const faults: SchemaFault[] = [];
  if (Array.isArray(words) && !words.includes(value))
    faults.push(fault(`expected one of ${words.join(", ")}`));
  if (constant !== undefined && constant !== value)
    faults.push(fault(`expected ${JSON.stringify(constant)}`));
  if (typeof value === "number") {
    if (typeof minimum === "number" && value < minimum) faults.push(fault(`expected at least ${minimum}`));
    if (typeof maximum === "number" && value > maximum) faults.push(fault(`expected at most ${maximum}`));
  }
  if (typeof value === "string") {
    if (typeof minLength === "number" && value.length < minLength)
      faults.push(fault("expected a longer text"));
    if (format === "uri" && !URL.canParse(value)) faults.push(fault("expected a URL"));
  }
  if (Array.isArray(value))
    faults.push(...value.flatMap((item, index) => faultsOf(items, item, [...path, index])));
  else if (typeof value === "object" && value !== null) {
    const fields = value as Readonly<Record<string, unknown>>;
    const properties = (rules["properties"] ?? {}) as Readonly<Record<string, unknown>>;
    const required = Array.isArray(rules["required"]) ? (rules["required"] as readonly string[]) : [];
    for (const key of required) if (!Object.hasOwn(fields, key)) faults.push(fault("is missing", [key]));
    for (const [key, inner] of Object.entries(fields)) {
      if (Object.hasOwn(properties, key)) {
        if (inner !== undefined) faults.push(...faultsOf(properties[key], inner, [...path, key]));
      } else if (rules["additionalProperties"] === false) faults.push(fault("is not known", [key]));
    }
  }
  return faults;
}

const KNOWN = new Set([
  "type",
  "properties",
  "required",
  "additionalProperties",
  "items",
  "enum",
  "const",
  "minimum",
  "maximum",
  "minLength",
  "format",
  "title",
  "description",
  "default",
  "$schema",
]);

/** Keywords that say more than is looked at here. */
export function unknownKeywords(schema: unknown): readonly string[] {
  if (typeof schema !== "object" || schema === null) return [];
  const { properties, items } = schema as JsonObject;
  return [
    ...Object.keys(schema).filter((word) => !KNOWN.has(word)),
    ...Object.values(Object(properties) as object).flatMap(unknownKeywords),
    ...unknownKeywords(items),
  ];
}

function isOf(type: string, value: unknown): boolean {
  if (type === "integer") return Number.isInteger(value);
  if (type === "array") return Array.isArray(value);
  if (type === "null") return value === null;
  if (type === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
  return typeof value === type;
}

function nameOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
