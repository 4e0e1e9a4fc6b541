import assert from "node:assert/strict";

/** What a JSON Schema of settings allows and forbids, as far as it can be tried. */
export interface SchemaFields {
  /** It allows no further properties. */
  readonly strict: boolean;
  readonly properties: Readonly<Record<string, Field>>;
}

export interface Field {
  /** A value that it allows. */
  readonly right?: unknown;
  /** A value that it forbids. */
  readonly wrong?: unknown;
}

type Schema = Readonly<Record<string, unknown>>;

export function readSchema(text: string, name: string): SchemaFields {
  let schema: Schema;
  try {
    schema = JSON.parse(text) as Schema;
  } catch (error) {
    assert.fail(`${name} is no JSON: ${(error as Error).message}`);
  }
  assert.equal(
    schema["type"],
    "object",
    `${name} describes ${JSON.stringify(schema["type"])}, not an object`,
  );
  const properties = Object.entries((schema["properties"] ?? {}) as Readonly<Record<string, Schema>>);
  return {
    strict: schema["additionalProperties"] === false,
    properties: Object.fromEntries(
      properties.map(([key, inner]) => [key, { right: rightFor(inner), wrong: wrongFor(inner) }]),
    ),
  };
}

/** A value that the schema allows; `undefined` where that is not easily said. */
function rightFor(schema: Schema): unknown {
  const choices = (schema["anyOf"] ?? schema["oneOf"]) as readonly Schema[] | undefined;
  if (choices !== undefined) return choices.map(rightFor).find((value) => value !== undefined);
  if ("const" in schema) return schema["const"];
  if (Array.isArray(schema["enum"])) return schema["enum"][0];
  if ("default" in schema) return schema["default"];
  if ("pattern" in schema || "$ref" in schema || "allOf" in schema) return undefined;
  const { type } = schema;
  if (type === "boolean") return true;
  if (type === "string") {
    if (schema["format"] === "uri" || schema["format"] === "url") return "http://127.0.0.1:1";
    return schema["format"] === undefined
      ? "x".repeat(Math.max(1, Number(schema["minLength"] ?? 1)))
      : undefined;
  }
  if (type === "integer" || type === "number") {
    const least = Number(schema["minimum"] ?? 0);
    const above = Number(schema["exclusiveMinimum"] ?? -1);
    return Math.max(least, Math.floor(above) + 1);
  }
  if (type === "array") {
    const item = rightFor((schema["items"] ?? {}) as Schema);
    const count = Number(schema["minItems"] ?? 0);
    return item === undefined && count > 0 ? undefined : Array.from({ length: count }, () => item);
  }
  if (type === "object") {
    const required = (schema["required"] ?? []) as readonly string[];
    return required.length === 0 ? {} : undefined;
  }
  return undefined;
}

const CANDIDATES: readonly (readonly [type: string, value: unknown])[] = [
  ["boolean", true],
  ["object", { not: "this" }],
  ["string", "neither this"],
  ["number", -1.5],
];

/** A value of a type that the schema does not have. */
function wrongFor(schema: Schema): unknown {
  const types = typesOf(schema);
  if (types.size === 0) return undefined;
  return CANDIDATES.find(([type]) => !types.has(type))?.[1];
}

function typesOf(schema: Schema): ReadonlySet<string> {
  const types = new Set<string>();
  const choices = [schema["anyOf"], schema["oneOf"]].flatMap((list) => (list ?? []) as readonly Schema[]);
  for (const choice of choices) {
    const inner = typesOf(choice);
    // One choice of any type allows all.
    if (inner.size === 0) return new Set();
    for (const type of inner) types.add(type);
  }
  const values = [
    ...((schema["enum"] ?? []) as readonly unknown[]),
    ...("const" in schema ? [schema["const"]] : []),
  ];
  for (const value of values) types.add(typeof value);
  for (const type of [schema["type"]].flat())
    if (typeof type === "string") types.add(type === "integer" ? "number" : type);
  return types;
}
