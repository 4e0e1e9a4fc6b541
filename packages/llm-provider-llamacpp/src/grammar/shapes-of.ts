import type { Alternative, Source } from "./alternative.ts";
import { isRecord, sameJson } from "./check.ts";
import { ANNOTATIONS, JSON_TYPES, TYPE_OF_KEYWORD, type JsonType } from "./keywords.ts";
import { below, type Located } from "./pointer.ts";
import { invalid, type Reader } from "./reader.ts";
import type { Bound, Property, Shape, StringFormat } from "./shape.ts";

const ALL_TYPES: readonly JsonType[] = ["object", "array", "string", "number", "boolean", "null"];
const FORMATS: ReadonlySet<string> = new Set(["date", "time", "date-time", "uuid"] satisfies StringFormat[]);
/** What `expand` has taken care of. */
const COMPOSING: ReadonlySet<string> = new Set(["$ref", "allOf", "anyOf", "oneOf"]);

/** The shapes of one alternative, one for each type it allows; none when it contradicts itself. */
export function shapesOf(
  alternative: Alternative,
  all: readonly Located[],
  depth: number,
  reader: Reader,
): readonly Shape[] {
  const sources = alternative.sources.map(stripComposing).filter(({ node }) => Object.keys(node).length > 0);
  const { reference } = alternative;
  if (reference !== undefined) {
    if (sources.length === 0) return [reference.shape];
    const shape = reader.read([...sources, reference.target], depth + 1);
    return shape === undefined ? [] : [shape];
  }
  if (sources.length === 0) return [{ kind: "any" }];
  const literals = readLiterals(sources);
  if (literals !== undefined) {
    const values = literals.filter((value) => reader.accepts(value, all));
    return values.length === 0 ? [] : [{ kind: "literal", values }];
  }
  return readTypes(sources).flatMap((type) => {
    const shape = shapeOfType(type, sources, depth, reader);
    return shape === undefined ? [] : [shape];
  });
}

function stripComposing({ node, pointer }: Source): Source {
  const kept = Object.entries(node).filter(([key]) => !COMPOSING.has(key) && !ANNOTATIONS.has(key));
  return { node: Object.fromEntries(kept), pointer };
}

function readLiterals(sources: readonly Source[]): readonly unknown[] | undefined {
  let values: readonly unknown[] | undefined;
  for (const { node, pointer } of sources) {
    const own = "const" in node ? [node["const"]] : node["enum"];
    if (own === undefined) continue;
    if (!Array.isArray(own) || own.length === 0)
      throw invalid(below(pointer, "enum"), "it must be a list with at least one value");
    values = values === undefined ? own : values.filter((value) => own.some((one) => sameJson(one, value)));
  }
  return values?.filter(
    (value, index, list) => !list.slice(0, index).some((earlier) => sameJson(earlier, value)),
  );
}

function readTypes(sources: readonly Source[]): readonly JsonType[] {
  let allowed: readonly JsonType[] | undefined;
  const meant = new Set<JsonType>();
  for (const { node, pointer } of sources) {
    for (const keyword of Object.keys(node)) {
      const type = TYPE_OF_KEYWORD.get(keyword);
      if (type !== undefined) meant.add(type);
    }
    if (node["type"] === undefined) continue;
    const own: readonly unknown[] = Array.isArray(node["type"]) ? node["type"] : [node["type"]];
    const types = own.filter(isType);
    if (types.length !== own.length || types.length === 0) {
      throw invalid(below(pointer, "type"), `${JSON.stringify(node["type"])} is no type of JSON Schema`);
    }
    allowed = allowed === undefined ? types : intersect(allowed, types);
  }
  if (allowed !== undefined)
    return allowed.includes("number") ? allowed.filter((type) => type !== "integer") : allowed;
  return meant.size === 0 ? ALL_TYPES : [...meant];
}

function isType(type: unknown): type is JsonType {
  return typeof type === "string" && JSON_TYPES.has(type);
}

function intersect(one: readonly JsonType[], other: readonly JsonType[]): readonly JsonType[] {
  const narrowed = one.map((type) => (type === "number" && !other.includes("number") ? "integer" : type));
  return narrowed.filter((type) => other.includes(type) || (type === "integer" && other.includes("number")));
}

function shapeOfType(
  type: JsonType,
  sources: readonly Source[],
  depth: number,
  reader: Reader,
): Shape | undefined {
  switch (type) {
    case "object":
      return readObject(sources, depth, reader);
    case "array":
      return readArray(sources, depth, reader);
    case "string":
      return readString(sources, reader);
    case "number":
      return readNumber(
        sources,
        sources.some(({ node }) => node["multipleOf"] === 1),
        reader,
      );
    case "integer":
      return readNumber(sources, true, reader);
    case "boolean":
    case "null":
      return { kind: type };
  }
}

function readString(sources: readonly Source[], reader: Reader): Shape | undefined {
  const minLength = largest(sources, "minLength") ?? 0;
  const maxLength = smallest(sources, "maxLength");
  if (maxLength !== undefined && maxLength < minLength) return undefined;
  let format: StringFormat | undefined;
  for (const { node, pointer } of sources) {
    const own = node["format"];
    if (own === undefined || own === format) continue;
    if (typeof own !== "string") throw invalid(below(pointer, "format"), "it is no string");
    if (!isFormat(own))
      reader.warn("format", below(pointer, "format"), `"${own}" is a remark here, not a constraint`);
    else if (format === undefined) format = own;
    else return undefined;
    if (minLength > 0 || maxLength !== undefined)
      reader.refuse("format", below(pointer, "format"), "it stands beside a length");
  }
  return { kind: "string", minLength, maxLength, format };
}

function isFormat(format: string): format is StringFormat {
  return FORMATS.has(format);
}

function readNumber(sources: readonly Source[], integer: boolean, reader: Reader): Shape | undefined {
  let min: Bound | undefined;
  let max: Bound | undefined;
  for (const source of sources) {
    for (const keyword of ["minimum", "exclusiveMinimum"] as const) {
      const bound = readBound(source, keyword, integer ? "integer" : "number", reader);
      if (
        bound !== undefined &&
        (min === undefined || bound.value > min.value || (bound.value === min.value && bound.exclusive))
      )
        min = bound;
    }
    for (const keyword of ["maximum", "exclusiveMaximum"] as const) {
      const bound = readBound(source, keyword, integer ? "integer" : "number", reader);
      if (
        bound !== undefined &&
        (max === undefined || bound.value < max.value || (bound.value === max.value && bound.exclusive))
      )
        max = bound;
    }
  }
  if (min !== undefined && max !== undefined) {
    if (min.value > max.value || (min.value === max.value && (min.exclusive || max.exclusive)))
      return undefined;
  }
  return { kind: "number", integer, min, max };
}

/** Beyond this, JavaScript's numbers are no longer exact. */
const EXACT = 999_999_999_999_999;

function readBound(
  { node, pointer }: Source,
  keyword: string,
  type: "integer" | "number",
  reader: Reader,
): Bound | undefined {
  const value = node[keyword];
  if (value === undefined) return undefined;
  const where = below(pointer, keyword);
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw invalid(
      where,
      typeof value === "boolean"
        ? "draft 4 wrote a boolean here; write the number itself"
        : "it is no number",
    );
  }
  const exclusive = keyword.startsWith("exclusive");
  const lower = keyword.toLowerCase().endsWith("minimum");
  const inward = Math.max(-EXACT, Math.min(EXACT, lower ? Math.ceil(value) : Math.floor(value)));
  if (type === "integer") {
    const step = exclusive && inward === value ? 1 : 0;
    return { value: lower ? inward + step : inward - step, exclusive: false };
  }
  if (inward !== value)
    reader.warn(
      keyword,
      where,
      `the model writes numbers from ${inward}, the next whole number inside ${value}`,
    );
  return { value: inward, exclusive: exclusive && inward === value };
}

function readArray(sources: readonly Source[], depth: number, reader: Reader): Shape | undefined {
  const minItems = largest(sources, "minItems") ?? 0;
  let maxItems = smallest(sources, "maxItems");
  const parts = sources.map(({ node, pointer }) => {
    const tuple = Array.isArray(node["items"]) ? "items" : "prefixItems";
    const rest = tuple === "items" ? "additionalItems" : "items";
    return {
      prefix: locateList(node[tuple], below(pointer, tuple)),
      rest: node[rest] === undefined ? [] : [{ node: node[rest], pointer: below(pointer, rest) }],
    };
  });
  const prefix: Shape[] = [];
  const longest = Math.max(0, ...parts.map((part) => part.prefix.length));
  for (let index = 0; index < longest && index < (maxItems ?? longest); index++) {
    const here = parts.flatMap((part) => {
      const own = part.prefix[index];
      return own === undefined ? part.rest : [own];
    });
    const shape = reader.read(here, depth + 1);
    if (shape === undefined) maxItems = index;
    else prefix.push(shape);
  }
  let items: Shape | undefined;
  if (maxItems === undefined || maxItems > prefix.length) {
    items = reader.read(
      parts.flatMap((part) => part.rest),
      depth + 1,
    );
    if (items === undefined) maxItems = prefix.length;
  }
  if (maxItems !== undefined && maxItems < minItems) return undefined;
  return { kind: "array", prefix, items, minItems, maxItems };
}

function readObject(sources: readonly Source[], depth: number, reader: Reader): Shape | undefined {
  const parts = sources.map(({ node, pointer }) => {
    const { properties = {}, required = [], additionalProperties } = node;
    if (!isRecord(properties)) throw invalid(below(pointer, "properties"), "it is no object");
    if (!Array.isArray(required)) throw invalid(below(pointer, "required"), "it is no list");
    const additional =
      additionalProperties === undefined
        ? []
        : [{ node: additionalProperties, pointer: below(pointer, "additionalProperties") }];
    return { properties, pointer, required, additional, open: node["patternProperties"] !== undefined };
  });
  const required = new Set(parts.flatMap((part) => part.required).filter((name) => typeof name === "string"));
  const names = new Set([...parts.flatMap((part) => Object.keys(part.properties)), ...required]);
  const properties: Property[] = [];
  for (const name of names) {
    const here = parts.flatMap((part): readonly Located[] => {
      if (Object.hasOwn(part.properties, name))
        return [{ node: part.properties[name], pointer: below(part.pointer, "properties", name) }];
      return part.open ? [] : part.additional;
    });
    const shape = reader.read(here, depth + 1);
    if (shape !== undefined) properties.push({ name, shape, required: required.has(name) });
    else if (required.has(name)) return undefined;
  }
  const additional = reader.read(
    parts.flatMap((part) => part.additional),
    depth + 1,
  );
  const closed = names.size > 0;
  for (const { node, pointer } of closed && additional !== undefined
    ? parts.flatMap((part) => part.additional)
    : []) {
    if (node !== false)
      reader.warn("additionalProperties", pointer, "the model writes the named properties only");
  }
  const minProperties = largest(sources, "minProperties") ?? 0;
  const maxProperties = smallest(sources, "maxProperties");
  if (maxProperties !== undefined && (maxProperties < minProperties || maxProperties < required.size))
    return undefined;
  const pointer = sources[0]?.pointer ?? "#";
  if (closed && minProperties > required.size && minProperties > 0) {
    if (properties.length < minProperties) return undefined;
    reader.refuse(
      "minProperties",
      below(pointer, "minProperties"),
      "which of the optional properties are there is the model's choice",
    );
  }
  if (closed && maxProperties !== undefined && maxProperties < properties.length) {
    reader.refuse(
      "maxProperties",
      below(pointer, "maxProperties"),
      "which of the optional properties are there is the model's choice",
    );
  }
  if (!closed && minProperties > 1) {
    reader.refuse(
      "minProperties",
      below(pointer, "minProperties"),
      "a grammar cannot keep the names of properties different",
    );
  }
  if (!closed && additional === undefined && minProperties > 0) return undefined;
  return {
    kind: "object",
    properties,
    additional: closed ? undefined : additional,
    minProperties,
    maxProperties,
  };
}

function locateList(value: unknown, pointer: string): readonly Located[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw invalid(pointer, "it is no list");
  return value.map((node: unknown, index) => ({ node, pointer: below(pointer, index) }));
}

function largest(sources: readonly Source[], keyword: string): number | undefined {
  const values = counts(sources, keyword);
  return values.length === 0 ? undefined : Math.max(...values);
}

function smallest(sources: readonly Source[], keyword: string): number | undefined {
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
