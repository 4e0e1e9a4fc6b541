/** Keywords that say nothing about which values are valid. */
export const ANNOTATIONS: ReadonlySet<string> = new Set([
  "$schema",
  "$id",
  "$anchor",
  "$comment",
  "$defs",
  "definitions",
  "title",
  "description",
  "default",
  "example",
  "examples",
  "deprecated",
  "readOnly",
  "writeOnly",
  "contentEncoding",
  "contentMediaType",
  "contentSchema",
]);

/** Keywords that the grammar expresses. */
export const EXPRESSED: ReadonlySet<string> = new Set([
  "$ref",
  "allOf",
  "anyOf",
  "oneOf",
  "type",
  "enum",
  "const",
  "minLength",
  "maxLength",
  "format",
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "properties",
  "required",
  "additionalProperties",
  "minProperties",
  "maxProperties",
  "items",
  "prefixItems",
  "additionalItems",
  "minItems",
  "maxItems",
]);

/** Keywords that no grammar of ours expresses and that `checkValue` knows: refused, or left to the check when asked. */
export const CHECKED_ONLY: ReadonlySet<string> = new Set([
  "pattern",
  "multipleOf",
  "uniqueItems",
  "not",
  "if",
  "then",
  "else",
  "contains",
  "minContains",
  "maxContains",
  "patternProperties",
  "propertyNames",
  "dependentRequired",
]);

/** Keywords that we neither express nor check: always refused. */
export const REFUSED: ReadonlySet<string> = new Set([
  "$dynamicRef",
  "$recursiveRef",
  "unevaluatedProperties",
  "unevaluatedItems",
  "dependentSchemas",
  "dependencies",
]);

export type JsonType = "object" | "array" | "string" | "number" | "integer" | "boolean" | "null";

export const JSON_TYPES: ReadonlySet<string> = new Set([
  "object",
  "array",
  "string",
  "number",
  "integer",
  "boolean",
  "null",
] satisfies JsonType[]);

/** A schema without `type` is meant for the type that its keywords are about. */
export const TYPE_OF_KEYWORD: ReadonlyMap<string, JsonType> = new Map<string, JsonType>([
  ...[
    "properties",
    "required",
    "additionalProperties",
    "minProperties",
    "maxProperties",
    "patternProperties",
    "propertyNames",
    "dependentRequired",
  ].map((keyword) => [keyword, "object"] as const),
  ...["items", "prefixItems", "additionalItems", "minItems", "maxItems", "uniqueItems", "contains"].map(
    (keyword) => [keyword, "array"] as const,
  ),
  ...["minLength", "maxLength", "format", "pattern"].map((keyword) => [keyword, "string"] as const),
  ...["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"].map(
    (keyword) => [keyword, "number"] as const,
  ),
]);
