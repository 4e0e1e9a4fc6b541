import type { Alternative, Source } from "./alternative.ts";
import { readArray, readObject } from "./compound-shapes.ts";
import { sameJson } from "./json-values.ts";
import { ANNOTATIONS, JSON_TYPES, TYPE_OF_KEYWORD, type JsonType } from "./keywords.ts";
import { below, type Located } from "./pointer.ts";
import { invalid, type Reader } from "./reader.ts";
import { readNumber, readString } from "./scalar-shapes.ts";
import type { Shape } from "./shape.ts";

const ALL_TYPES: readonly JsonType[] = ["object", "array", "string", "number", "boolean", "null"];
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
