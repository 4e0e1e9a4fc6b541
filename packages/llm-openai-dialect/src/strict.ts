/**
 * Whether a schema is one that a server may be asked to hold strictly: every object closed and every property of it
 * required. Others are refused when they come as strict, and are held to the schema by us all the same.
 */
export function isStrict(schema: unknown): boolean {
  return schema !== undefined && holds(schema, 0);
}

function holds(schema: unknown, depth: number): boolean {
  if (depth > DEEPEST || !isRecord(schema)) return false;
  const { properties, required, additionalProperties } = schema;
  if (schema["type"] === "object" || properties !== undefined) {
    const names = Object.keys(isRecord(properties) ? properties : {});
    const needed = Array.isArray(required) ? required : [];
    if (additionalProperties !== false || names.some((name) => !needed.includes(name))) return false;
  }
  if (LOOSE.some((keyword) => keyword in schema)) return false;
  const inner = [
    ...valuesOf(properties),
    ...valuesOf(schema["$defs"]),
    ...valuesOf(schema["definitions"]),
    ...(Array.isArray(schema["anyOf"]) ? schema["anyOf"] : []),
    ...("items" in schema ? [schema["items"]] : []),
  ];
  return inner.every((one) => holds(one, depth + 1));
}

const DEEPEST = 10;

/** Keywords that strict servers refuse. */
const LOOSE = ["allOf", "oneOf", "not", "if", "patternProperties", "dependentRequired", "dependentSchemas"];

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const valuesOf = (value: unknown): unknown[] => (isRecord(value) ? Object.values(value) : []);
