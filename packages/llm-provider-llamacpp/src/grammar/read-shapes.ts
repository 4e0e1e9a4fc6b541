import { LlmError } from "@enginehouse/llm-core";

import type { Alternative } from "./alternative.ts";
import { checkValue, isRecord } from "./check.ts";
import { areDisjoint } from "./disjoint.ts";
import { ANNOTATIONS, CHECKED_ONLY, EXPRESSED, REFUSED } from "./keywords.ts";
import { below, resolvePointer, type Located } from "./pointer.ts";
import { invalid, type Reader } from "./reader.ts";
import type { CompileOptions, GrammarWarning, Shape, Shapes } from "./shape.ts";
import { shapesOf } from "./shapes-of.ts";

/** More alternatives than this in one place is a schema gone wrong, not a wish. */
const MAX_ALTERNATIVES = 128;
const MAX_DEPTH = 100;

/** Reads a JSON Schema. Throws `unsupported` for what a grammar cannot express, `invalid-request` for what is no schema. */
export function readShapes(schema: unknown, options: CompileOptions = {}): Shapes {
  const named = new Map<string, Shape>();
  const warnings = new Map<string, GrammarWarning>();

  const reader: Reader = {
    read,
    warn(keyword, pointer, message) {
      warnings.set(pointer, {
        keyword,
        pointer,
        message: `the schema's "${keyword}" at ${pointer}: ${message}`,
      });
    },
    refuse(keyword, pointer, message) {
      if (options.unsupported !== "warn" || REFUSED.has(keyword)) {
        throw new LlmError(
          "unsupported",
          `the schema's "${keyword}" at ${pointer} cannot be held by a grammar: ${message}`,
          {
            hint: 'Leave the keyword out and check the answer yourself, or ask with `unsupported: "warn"` to have it checked after generation.',
          },
        );
      }
      this.warn(keyword, pointer, `${message}; it is checked after generation, not while the model writes`);
    },
    accepts: (value, all) => all.every(({ node }) => checkValue(value, node, schema).length === 0),
  };

  function read(all: readonly Located[], depth: number): Shape | undefined {
    const only = all.length === 1 ? unwrap(all[0]) : undefined;
    if (depth > MAX_DEPTH)
      throw invalid(all[0]?.pointer ?? "#", `it is nested more than ${MAX_DEPTH} levels deep`);
    if (only !== undefined && isPureReference(only.node)) return readReference(only, depth);
    const shapes = expand(all, depth).flatMap((alternative) => shapesOf(alternative, all, depth, reader));
    if (shapes.length === 0) return undefined;
    const description = describe(all);
    const shape: Shape =
      shapes.length === 1 && shapes[0] !== undefined ? shapes[0] : { kind: "union", of: shapes };
    return description === undefined ? shape : { ...shape, description };
  }

  function readReference(from: Located, depth: number): Shape {
    const target = resolve(from);
    const seen = named.get(target.pointer);
    if (seen === undefined) {
      named.set(target.pointer, { kind: "any" }); // so that a reference to itself finds it
      const shape = read([target], depth + 1);
      if (shape === undefined) throw invalid(target.pointer, "no value fits it");
      named.set(target.pointer, shape);
    }
    return { kind: "ref", pointer: target.pointer, description: describe([from]) };
  }

  function resolve({ node, pointer }: Located): Located {
    const reference = isRecord(node) ? node["$ref"] : undefined;
    const target = typeof reference === "string" ? resolvePointer(schema, reference) : undefined;
    if (target === undefined)
      throw invalid(below(pointer, "$ref"), `${JSON.stringify(reference)} points to nothing in this schema`);
    return target;
  }

  /** The conjunction as a list of alternatives, each free of `allOf`, `anyOf`, `oneOf` and `$ref`. */
  function expand(all: readonly Located[], depth: number): readonly Alternative[] {
    let alternatives: readonly Alternative[] = [{ sources: [], reference: undefined }];
    const seen = new Set<string>();
    const queue = [...all];
    for (let located = queue.shift(); located !== undefined; located = queue.shift()) {
      const { node, pointer } = located;
      if (node === true) continue;
      if (node === false) return [];
      if (!isRecord(node)) throw invalid(pointer, "a schema is an object or a boolean");
      checkKeywords(node, pointer);
      const source = { node, pointer };
      alternatives = alternatives.map(({ sources, reference }) => ({
        sources: [...sources, source],
        reference,
      }));
      if (node["$ref"] !== undefined) {
        const target = resolve(located);
        // A second time it would add nothing to the conjunction.
        if (!seen.has(target.pointer)) queue.push(target);
        seen.add(target.pointer);
      }
      queue.push(...branches(node, "allOf", pointer));
      for (const keyword of ["anyOf", "oneOf"] as const) {
        if (node[keyword] === undefined) continue;
        const options = branches(node, keyword, pointer);
        if (keyword === "oneOf") checkDisjoint(options, pointer, depth);
        const expanded = options.flatMap((option) => expandBranch(option, depth));
        alternatives = alternatives.flatMap((one) => expanded.map((branch) => both(one, branch)));
        if (alternatives.length <= MAX_ALTERNATIVES) continue;
        throw new LlmError(
          "unsupported",
          `the schema's "${keyword}" at ${below(pointer, keyword)} multiplies to more than ${MAX_ALTERNATIVES} alternatives`,
          { hint: "Split the schema, or ask for one alternative at a time." },
        );
      }
    }
    return alternatives;
  }

  /** A branch that is nothing but a reference stays one, so that recursion ends. */
  function expandBranch(branch: Located, depth: number): readonly Alternative[] {
    const only = unwrap(branch);
    if (!isPureReference(only.node)) return expand([only], depth + 1);
    const shape = readReference(only, depth + 1);
    return [{ sources: [], reference: { shape, target: resolve(only) } }];
  }

  function checkDisjoint(options: readonly Located[], pointer: string, depth: number): void {
    const shapes = options.map((option) =>
      saysItsType(option.node) ? read([option], depth + 1) : { kind: "any" as const },
    );
    for (const [index, one] of shapes.entries()) {
      for (const other of shapes.slice(0, index)) {
        if (one === undefined || other === undefined || areDisjoint(one, other, named)) continue;
        return reader.refuse(
          "oneOf",
          below(pointer, "oneOf"),
          "two of its branches may fit one value; use anyOf, or tell them apart by a required constant",
        );
      }
    }
  }

  function checkKeywords(node: Readonly<Record<string, unknown>>, pointer: string): void {
    for (const keyword of Object.keys(node)) {
      if (ANNOTATIONS.has(keyword) || EXPRESSED.has(keyword)) continue;
      if (
        keyword === "uniqueItems" &&
        (node[keyword] === false || node["maxItems"] === 1 || node["maxItems"] === 0)
      )
        continue;
      if (keyword === "multipleOf" && node[keyword] === 1) continue;
      if (keyword === "pattern") checkPattern(node[keyword], below(pointer, keyword));
      if (CHECKED_ONLY.has(keyword))
        reader.refuse(keyword, below(pointer, keyword), "there is no way to write it as one");
      else if (REFUSED.has(keyword))
        reader.refuse(keyword, below(pointer, keyword), "this keyword is not known here");
      else
        reader.warn(
          keyword,
          below(pointer, keyword),
          "it is no keyword of JSON Schema and means nothing here",
        );
    }
  }

  const root = read([{ node: schema, pointer: "#" }], 0);
  if (root === undefined) throw invalid("#", "no value fits it");
  const shapes: Shapes = { root, named, warnings: [...warnings.values()] };
  assertWritable(shapes);
  return shapes;
}

/** The keyword's branches, checked to be a list that is not empty. */
function branches(
  node: Readonly<Record<string, unknown>>,
  keyword: string,
  pointer: string,
): readonly Located[] {
  const value = node[keyword];
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length === 0)
    throw invalid(below(pointer, keyword), "it must be a list with at least one schema");
  return value.map((branch: unknown, index) => ({ node: branch, pointer: below(pointer, keyword, index) }));
}

function both(one: Alternative, other: Alternative): Alternative {
  const sources = [...one.sources, ...other.sources];
  if (one.reference === undefined || other.reference === undefined) {
    return { sources, reference: one.reference ?? other.reference };
  }
  const { node, pointer } = other.reference.target;
  return { sources: [...sources, { node: { allOf: [node] }, pointer }], reference: one.reference };
}

/** Several generators write `{ "allOf": [{ "$ref": … }], "description": … }` for a reference with a remark. */
function unwrap(located: Located): Located;
function unwrap(located: Located | undefined): Located | undefined;
function unwrap(located: Located | undefined): Located | undefined {
  if (!isRecord(located?.node)) return located;
  const { allOf, ...rest } = located.node;
  const alone =
    Array.isArray(allOf) && allOf.length === 1 && Object.keys(rest).every((key) => ANNOTATIONS.has(key));
  return alone ? { node: allOf[0], pointer: below(located.pointer, "allOf", 0) } : located;
}

/** `{ "properties": … }` alone also fits every string: what we take it to mean does not count here. */
function saysItsType(node: unknown): boolean {
  return (
    isRecord(node) &&
    ["type", "const", "enum", "$ref", "allOf", "anyOf", "oneOf"].some((keyword) => keyword in node)
  );
}

function isPureReference(node: unknown): boolean {
  return (
    isRecord(node) &&
    typeof node["$ref"] === "string" &&
    Object.keys(node).every((key) => key === "$ref" || ANNOTATIONS.has(key))
  );
}

function checkPattern(pattern: unknown, pointer: string): void {
  try {
    if (typeof pattern !== "string") throw new TypeError("it is no string");
    RegExp(pattern, "u");
  } catch (error) {
    throw invalid(pointer, error instanceof Error ? error.message : String(error));
  }
}

function describe(all: readonly Located[]): string | undefined {
  for (const { node } of all) {
    if (isRecord(node) && typeof node["description"] === "string") return node["description"];
  }
  return undefined;
}

/** Refuses definitions that only name each other and those that no finite value fits: the model would never come to an end. */
function assertWritable({ root, named }: Shapes): void {
  const finite = new Set<string>();
  const ends = (shape: Shape): boolean => {
    switch (shape.kind) {
      case "any":
      case "boolean":
      case "null":
      case "literal":
      case "string":
      case "number":
        return true;
      case "ref":
        return finite.has(shape.pointer);
      case "union":
        return shape.of.some(ends);
      case "array": {
        const needed = Math.max(shape.minItems, shape.prefix.length);
        return (
          shape.prefix.every(ends) &&
          (needed <= shape.prefix.length || shape.items === undefined || ends(shape.items))
        );
      }
      case "object":
        return (
          shape.properties.every((property) => !property.required || ends(property.shape)) &&
          (shape.minProperties <= shape.properties.length ||
            shape.additional === undefined ||
            ends(shape.additional))
        );
    }
  };
  for (let grown = true; grown;) {
    grown = false;
    for (const [pointer, shape] of named) {
      if (finite.has(pointer) || !ends(shape)) continue;
      finite.add(pointer);
      grown = true;
    }
  }
  for (const pointer of named.keys())
    if (!finite.has(pointer)) throw invalid(pointer, "only a value without end fits it");
  if (!ends(root)) throw invalid("#", "only a value without end fits it");

  const visiting = new Set<string>();
  const follow = (shape: Shape, from: string): void => {
    if (shape.kind === "union") for (const one of shape.of) follow(one, from);
    if (shape.kind !== "ref") return;
    if (visiting.has(shape.pointer))
      throw invalid(from, "its reference comes back to itself without a value between");
    visiting.add(shape.pointer);
    const target = named.get(shape.pointer);
    if (target !== undefined) follow(target, shape.pointer);
    visiting.delete(shape.pointer);
  };
  for (const [pointer, shape] of named) {
    visiting.add(pointer);
    follow(shape, pointer);
    visiting.delete(pointer);
  }
}
