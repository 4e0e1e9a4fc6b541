import type { GbnfJsonSchema } from "node-llama-cpp";

import { isRecord } from "./json-values.ts";
import { readShapes } from "./read-shapes.ts";
import type { CompileOptions, GrammarWarning, Property, Shape } from "./shape.ts";

export interface GrammarSchema {
  /** The nearest thing that node-llama-cpp takes as `params` of a function. */
  readonly schema: GbnfJsonSchema;
  readonly warnings: readonly GrammarWarning[];
}

/** Each set of optional properties is one alternative: eight of them are still readable, more are not. */
const MAX_OPTIONAL = 3;
const MAX_LISTED = 256;
/** llama.cpp refuses more repetitions of the library's rules, counted with what they contain. */
const MAX_REPEAT = 500;

/**
 * JSON Schema to the subset that node-llama-cpp honours. It serves the parameters of functions, where the library takes
 * no grammar of ours; what stays wider than the schema is named in `warnings`, for `checkJson` to hold.
 */
export function rewriteSchema(schema: unknown, options: CompileOptions = {}): GrammarSchema {
  const { root, named, warnings: found } = readShapes(schema, options);
  const warnings = [...found];
  const warn = (keyword: string, says: string): void => {
    const message = `the schema's "${keyword}": ${says}`;
    if (!warnings.some((one) => one.message === message)) warnings.push({ keyword, pointer: "#", message });
  };
  const definitions = new Map([...named.keys()].map((pointer, index) => [pointer, `d${index}`]));

  function write(shape: Shape): GbnfJsonSchema {
    const written = writeBare(shape);
    return shape.description === undefined || "$ref" in written
      ? written
      : { ...written, description: shape.description };
  }

  function writeBare(shape: Shape): GbnfJsonSchema {
    switch (shape.kind) {
      case "any":
        return ANY;
      case "null":
      case "boolean":
        return { type: shape.kind };
      case "literal":
        return shape.values.every(isScalar)
          ? { enum: shape.values.filter(isScalar) }
          : { oneOf: shape.values.map(writeLiteral) };
      case "ref":
        return { $ref: `#/$defs/${definitions.get(shape.pointer) ?? ""}` };
      case "union":
        return { oneOf: shape.of.map(write) };
      case "string":
        return writeString(shape);
      case "number":
        return writeNumber(shape);
      case "array":
        return writeArray(shape);
      case "object":
        return writeObject(shape);
    }
  }

  function writeString({ minLength, maxLength, format }: Extract<Shape, { kind: "string" }>): GbnfJsonSchema {
    if (format === "uuid")
      warn("format", "the library has no grammar for a uuid; it is checked after generation");
    else if (format !== undefined) return { type: "string", format };
    if (minLength > MAX_REPEAT)
      warn("minLength", `more than ${MAX_REPEAT} characters are not counted; it is checked after generation`);
    const most = maxLength !== undefined && maxLength > MAX_REPEAT ? undefined : maxLength;
    if (most !== maxLength)
      warn("maxLength", `more than ${MAX_REPEAT} characters are not counted; it is checked after generation`);
    return {
      type: "string",
      ...(minLength > 0 ? { minLength: Math.min(minLength, MAX_REPEAT) } : {}),
      ...(most === undefined ? {} : { maxLength: most }),
    };
  }

  function writeNumber({ integer, min, max }: Extract<Shape, { kind: "number" }>): GbnfJsonSchema {
    if (integer && min !== undefined && max !== undefined && max.value - min.value < MAX_LISTED) {
      return { enum: Array.from({ length: max.value - min.value + 1 }, (_, index) => min.value + index) };
    }
    if (min !== undefined || max !== undefined)
      warn("minimum, maximum", "the library's grammar has no bounds; they are checked after generation");
    // Even a plain integer of the library may carry an exponent, 5e-1 for one: only `checkJson` is sure.
    return { type: integer ? "integer" : "number" };
  }

  function writeArray({
    prefix,
    items,
    minItems,
    maxItems,
  }: Extract<Shape, { kind: "array" }>): GbnfJsonSchema {
    const most = items === undefined ? prefix.length : maxItems;
    if (most !== undefined && most > MAX_REPEAT)
      warn("maxItems", `more than ${MAX_REPEAT} items are not counted; it is checked after generation`);
    return {
      type: "array",
      ...(prefix.length === 0 ? {} : { prefixItems: prefix.map(write) }),
      ...(items === undefined ? {} : { items: write(items) }),
      ...(minItems === 0 ? {} : { minItems: Math.min(minItems, MAX_REPEAT) }),
      ...(most === undefined || most > MAX_REPEAT ? {} : { maxItems: most }),
    };
  }

  function writeObject({
    properties,
    additional,
    minProperties,
    maxProperties,
  }: Extract<Shape, { kind: "object" }>): GbnfJsonSchema {
    if (properties.length === 0) {
      if (additional === undefined) return { type: "object", properties: {} };
      return {
        type: "object",
        additionalProperties: additional.kind === "any" ? true : write(additional),
        ...(minProperties === 0 ? {} : { minProperties }),
        ...(maxProperties === undefined ? {} : { maxProperties }),
      };
    }
    const optional = properties.filter((property) => !property.required);
    if (optional.length > MAX_OPTIONAL) {
      warn(
        "required",
        `with more than ${MAX_OPTIONAL} optional properties in one object, the model writes all of them`,
      );
      return writeMembers(properties);
    }
    const choices = Array.from({ length: 2 ** optional.length }, (_, choice) =>
      properties.filter(
        (property) => property.required || ((choice >> optional.indexOf(property)) & 1) === 1,
      ),
    );
    const schemas = choices.map(writeMembers);
    return schemas.length === 1 && schemas[0] !== undefined ? schemas[0] : { oneOf: schemas };
  }

  function writeMembers(properties: readonly Property[]): GbnfJsonSchema {
    // A property named __proto__ must become a property, not a prototype.
    return {
      type: "object",
      properties: Object.fromEntries(properties.map(({ name, shape }) => [name, write(shape)])),
    };
  }

  const written = write(root);
  if (named.size === 0) return { schema: written, warnings };
  const $defs = Object.fromEntries(
    [...named].map(([pointer, shape]) => [definitions.get(pointer) ?? "", write(shape)]),
  );
  return { schema: { ...written, $defs }, warnings };
}

const ANY: GbnfJsonSchema = {
  oneOf: [
    { type: ["string", "number", "boolean", "null"] },
    { type: "array" },
    { type: "object", additionalProperties: true },
  ],
};

type Scalar = string | number | boolean | null;

function isScalar(value: unknown): value is Scalar {
  return (
    value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean"
  );
}

function writeLiteral(value: unknown): GbnfJsonSchema {
  if (isScalar(value)) return { const: value };
  if (Array.isArray(value)) {
    return value.length === 0
      ? { type: "array", maxItems: 0 }
      : { type: "array", prefixItems: value.map(writeLiteral), maxItems: value.length };
  }
  const entries = isRecord(value) ? Object.entries(value) : [];
  return {
    type: "object",
    properties: Object.fromEntries(entries.map(([name, own]) => [name, writeLiteral(own)])),
  };
}
