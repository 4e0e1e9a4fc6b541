import { isRecord } from "../wire.ts";

/** What the grammar of Ollama's engine passes over in silence: the model could write what breaks it. */
const IGNORED = new Set([
  "not",
  "if",
  "then",
  "else",
  "uniqueItems",
  "contains",
  "minContains",
  "maxContains",
  "multipleOf",
  "patternProperties",
  "propertyNames",
  "minProperties",
  "maxProperties",
  "dependentRequired",
  "dependentSchemas",
  "unevaluatedProperties",
  "unevaluatedItems",
]);

/** Keywords whose value is one schema, a list of schemas, or schemas by name. */
const ONE = ["items", "additionalProperties", "additionalItems"];
const LISTS = ["anyOf", "oneOf", "allOf", "prefixItems", "items"];
const NAMED = ["properties", "$defs", "definitions"];

/** `"uniqueItems" at /properties/tags`, for each keyword of the schema that would not be held. */
export function ignoredKeywords(schema: unknown, at = "", found: string[] = []): readonly string[] {
  if (!isRecord(schema)) return found;
  for (const key of Object.keys(schema)) {
    if (IGNORED.has(key)) found.push(`"${key}" at ${at === "" ? "/" : at}`);
  }
  for (const key of ONE) ignoredKeywords(schema[key], `${at}/${key}`, found);
  for (const key of LISTS) {
    const list = schema[key];
    if (Array.isArray(list))
      list.forEach((item, index) => ignoredKeywords(item, `${at}/${key}/${index}`, found));
  }
  for (const key of NAMED) {
    const named = schema[key];
    if (!isRecord(named)) continue;
    for (const [name, inner] of Object.entries(named)) ignoredKeywords(inner, `${at}/${key}/${name}`, found);
  }
  return found;
}
