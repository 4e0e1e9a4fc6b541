/** Something that does not fit, or that cannot be held to. */
export interface SchemaFault {
  /** JSON pointer, into the value or into the schema: `/items/0/price`. Empty for the whole. */
  readonly at: string;
  readonly message: string;
}

export type Schema = Readonly<Record<string, unknown>>;

/** What of a schema no value can be held to here: keywords that are not known, references to nothing, odd patterns. */
export function faultsOfSchema(schema: unknown): readonly SchemaFault[] {
  const faults: SchemaFault[] = [];
  eachSchema(schema, (rule, at) => {
    const { $ref: reference, pattern, patternProperties } = rule;
    for (const keyword of UNKNOWN)
      if (keyword in rule) faults.push({ at, message: `"${keyword}" is not known here` });
    if (typeof reference === "string" && targetOf(schema, reference) === undefined)
      faults.push({ at, message: `it refers to ${reference}, which is not in it` });
    const patterns = isRecord(patternProperties) ? Object.keys(patternProperties) : [];
    for (const one of typeof pattern === "string" ? [pattern, ...patterns] : patterns)
      if (patternOf(one) === undefined)
        faults.push({ at, message: `the pattern ${one} is no regular expression of JavaScript` });
  });
  return faults;
}

/** Calls `visit` for a schema and for every schema inside it, with its JSON pointer. Booleans are passed over. */
export function eachSchema(schema: unknown, visit: (rule: Schema, at: string) => void, at = ""): void {
  if (!isRecord(schema)) return;
  visit(schema, at);
  for (const [keyword, inner] of Object.entries(schema)) {
    const place = `${at}/${keyword}`;
    if (ONE.has(keyword)) eachSchema(inner, visit, place);
    if (LISTS.has(keyword)) list(inner).forEach((one, index) => eachSchema(one, visit, `${place}/${index}`));
    if (NAMED.has(keyword) && isRecord(inner))
      for (const [name, one] of Object.entries(inner)) eachSchema(one, visit, `${place}/${escaped(name)}`);
  }
}

/** Keywords whose value is a schema, a list of schemas, or schemas by name. */
const ONE = new Set(
  "additionalItems additionalProperties contains else if items not propertyNames then".split(" "),
);
const LISTS = new Set(["allOf", "anyOf", "items", "oneOf", "prefixItems"]);
const NAMED = new Set(["$defs", "definitions", "dependentSchemas", "patternProperties", "properties"]);

const UNKNOWN = ["$dynamicRef", "$recursiveRef", "dependencies", "unevaluatedItems", "unevaluatedProperties"];

/** What `#`, `#/$defs/name` or `#anchor` points to. */
export function targetOf(root: unknown, reference: string): { readonly schema: unknown } | undefined {
  if (reference === "#") return { schema: root };
  if (!reference.startsWith("#/")) return anchored(root, reference);
  let schema: unknown = root;
  for (const step of reference.slice(2).split("/")) {
    const name = unescaped(step);
    if (typeof schema !== "object" || schema === null || !Object.hasOwn(schema, name)) return undefined;
    schema = Reflect.get(schema, name);
  }
  return { schema };
}

function anchored(root: unknown, reference: string): { readonly schema: unknown } | undefined {
  const found: Schema[] = [];
  eachSchema(root, (rule) => {
    if (typeof rule["$anchor"] === "string" && reference === `#${rule["$anchor"]}`) found.push(rule);
  });
  return found[0] && { schema: found[0] };
}

function unescaped(step: string): string {
  try {
    return decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~");
  } catch {
    return step;
  }
}

export const escaped = (name: string): string => name.replaceAll("~", "~0").replaceAll("/", "~1");

/** Schemas of other languages write what `u` forbids, such as `\-`. */
export function patternOf(source: string): RegExp | undefined {
  for (const flags of ["u", ""]) {
    try {
      return new RegExp(source, flags);
    } catch {
      // The next flags, or none: then `faultsOfSchema` has said so.
    }
  }
  return undefined;
}

export const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
export const entries = (value: unknown): readonly (readonly [string, unknown])[] =>
  isRecord(value) ? Object.entries(value) : [];
export const isRecord = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);
