import type { Source } from "./alternative.ts";
import { largest, smallest } from "./counts.ts";
import { isRecord } from "./json-values.ts";
import { below, type Located } from "./pointer.ts";
import { invalid, type Reader } from "./reader.ts";
import type { Property, Shape } from "./shape.ts";

export function readArray(sources: readonly Source[], depth: number, reader: Reader): Shape | undefined {
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

export function readObject(sources: readonly Source[], depth: number, reader: Reader): Shape | undefined {
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
