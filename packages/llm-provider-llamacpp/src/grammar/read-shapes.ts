import { LlmError } from "@enginehouse/llm-core";

import { type Alternative, both } from "./alternative.ts";
import { checkValue } from "./check.ts";
import { areDisjoint } from "./disjoint.ts";
import { isRecord } from "./json-values.ts";
import { ANNOTATIONS, CHECKED_ONLY, EXPRESSED, REFUSED } from "./keywords.ts";
import { branches, checkPattern, describe, isPureReference, saysItsType, unwrap } from "./node-forms.ts";
import { below, resolvePointer, type Located } from "./pointer.ts";
import { invalid, type Reader } from "./reader.ts";
import type { CompileOptions, GrammarWarning, Shape, Shapes } from "./shape.ts";
import { shapesOf } from "./shapes-of.ts";
import { assertWritable } from "./writable.ts";

/** More alternatives than this in one place is a schema gone wrong, not a wish. */
const MAX_ALTERNATIVES = 128;
const MAX_DEPTH = 100;
/** Alternatives inside alternatives multiply: a schema of a few lines could keep us busy for ever. */
const MAX_READS = 20_000;

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

  let reads = 0;

  function read(all: readonly Located[], depth: number): Shape | undefined {
    reads++;
    if (reads > MAX_READS) {
      throw new LlmError("unsupported", `the schema unfolds to more than ${MAX_READS} parts`, {
        hint: "Use fewer alternatives inside each other, or name what repeats with $defs.",
      });
    }
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
