import { LlmError } from "@enginehouse/llm-core";

import { writeNumber } from "./number-rules.ts";
import type { GrammarWarning, Property, Shape, Shapes } from "./shape.ts";
import { FORMAT_RULES, NEEDS, SHARED } from "./shared-rules.ts";

/** llama.cpp refuses 2,000 repetitions of one symbol; longer ones are chained from blocks. */
const BLOCK = 1000;
const MAX_REPEAT = 10_000;

/** The grammar of a schema's shapes: compact JSON, its properties in the schema's order. */
export function writeGbnf({ root, named }: Shapes): {
  readonly gbnf: string;
  readonly warnings: readonly GrammarWarning[];
} {
  const rules = new Map<string, string>();
  const byBody = new Map<string, string>();
  const references = new Map<string, string>();
  const warnings: GrammarWarning[] = [];

  function rule(body: string): string {
    const known = byBody.get(body);
    if (known !== undefined) return known;
    const name = `r${rules.size}`;
    byBody.set(body, name);
    rules.set(name, body);
    return name;
  }

  function shared(name: keyof typeof SHARED): string {
    if (rules.has(name)) return name;
    rules.set(name, SHARED[name]);
    for (const other of NEEDS[name] ?? []) shared(other);
    return name;
  }

  function write(shape: Shape): string {
    switch (shape.kind) {
      case "any":
        return shared("value");
      case "null":
        return quote("null");
      case "boolean":
        return `("true" | "false")`;
      case "literal":
        return alternatives(shape.values.map((value) => quote(JSON.stringify(value))));
      case "number":
        return rule(writeNumber(shape));
      case "string":
        return writeString(shape);
      case "union":
        return rule(shape.of.map(write).join(" | "));
      case "array":
        return writeArray(shape);
      case "object":
        return writeObject(shape);
      case "ref":
        return writeReference(shape.pointer);
    }
  }

  function writeReference(pointer: string): string {
    const known = references.get(pointer);
    if (known !== undefined) return known;
    const name = `ref${references.size}`;
    references.set(pointer, name);
    rules.set(name, ""); // keeps its place, so that names stay unique
    const target = named.get(pointer);
    rules.set(name, target === undefined ? shared("value") : write(target));
    return name;
  }

  function writeString({ minLength, maxLength, format }: Extract<Shape, { kind: "string" }>): string {
    if (format !== undefined) return rule(FORMAT_RULES[format]);
    if (minLength === 0 && maxLength === undefined) return shared("string");
    return rule(`"\\"" ${repeat(shared("char"), minLength, maxLength, "Length")} "\\""`);
  }

  function writeArray({ prefix, items, minItems, maxItems }: Extract<Shape, { kind: "array" }>): string {
    const ws = shared("ws");
    const first = prefix.map(write).join(` "," ${ws} `);
    if (items === undefined || maxItems === prefix.length)
      return rule(first === "" ? `"[" ${ws} "]"` : `"[" ${ws} ${first} ${ws} "]"`);
    const item = rule(write(items));
    const next = rule(`"," ${ws} ${item}`);
    const least = Math.max(0, minItems - prefix.length);
    const most = maxItems === undefined ? undefined : maxItems - prefix.length;
    if (first !== "") return rule(`"[" ${ws} ${first} ${repeat(next, least, most, "Items")} ${ws} "]"`);
    const some = `${item} ${repeat(next, Math.max(0, least - 1), most === undefined ? undefined : most - 1, "Items")} ${ws}`;
    return rule(`"[" ${ws} ${least === 0 ? `(${some})?` : some} "]"`);
  }

  function writeObject({
    properties,
    additional,
    minProperties,
    maxProperties,
  }: Extract<Shape, { kind: "object" }>): string {
    const ws = shared("ws");
    if (properties.length === 0) {
      if (additional === undefined || maxProperties === 0) return rule(`"{" ${ws} "}"`);
      const member = rule(`${shared("string")} ":" " "? ${write(additional)}`);
      const next = rule(`"," ${ws} ${member}`);
      const some = `${member} ${repeat(next, Math.max(0, minProperties - 1), maxProperties === undefined ? undefined : maxProperties - 1, "Properties")} ${ws}`;
      return rule(`"{" ${ws} ${minProperties === 0 ? `(${some})?` : some} "}"`);
    }
    const members = properties.map(({ name, shape }) =>
      rule(`${quote(JSON.stringify(name))} ":" " "? ${write(shape)}`),
    );
    return rule(`"{" ${ws} ${writeMembers(properties, members)} "}"`);
  }

  /**
   * What may follow from a property on: with commas once one has been written, with an end wherever only optional ones
   * are left. From the last one backwards, so that each is written once: every optional one branches.
   */
  function writeMembers(properties: readonly Property[], members: readonly string[]): string {
    const ws = shared("ws");
    let first = `""`;
    let later = ws;
    for (const [index, { required }] of [...properties.entries()].toReversed()) {
      const member = members[index] ?? "";
      const asFirst = `${member} ${later}`;
      const asLater = `"," ${ws} ${member} ${later}`;
      first = required ? asFirst : rule(`${asFirst} | ${first}`);
      later = required ? asLater : rule(`${asLater} | ${later}`);
    }
    return first;
  }

  function repeat(symbol: string, least: number, most: number | undefined, what: string): string {
    if (least > MAX_REPEAT) {
      throw new LlmError(
        "unsupported",
        `the schema's "min${what}" of ${least} is more than a grammar can count`,
        {
          hint: `At most ${MAX_REPEAT} can be held.`,
        },
      );
    }
    if (most === undefined) return [...blocks(symbol, least), `${symbol}*`].join(" ");
    if (most > MAX_REPEAT) {
      warnings.push({
        keyword: `max${what}`,
        pointer: "#",
        message: `the schema's "max${what}": the model writes at most ${MAX_REPEAT}, fewer than the ${most} allowed`,
      });
    }
    const open = Math.min(most, MAX_REPEAT) - least;
    return [...blocks(symbol, least), ...(open > 0 ? [upTo(symbol, open)] : [])].join(" ");
  }

  function upTo(symbol: string, count: number): string {
    if (count <= BLOCK) return `${symbol}{0,${count}}`;
    return rule(`${symbol}{${BLOCK}} ${upTo(symbol, count - BLOCK)} | ${symbol}{0,${BLOCK - 1}}`);
  }

  const start = write(root);
  const lines = [`root ::= ${start}`, ...[...rules].map(([name, body]) => `${name} ::= ${body}`)];
  return { gbnf: `${lines.join("\n")}\n`, warnings };
}

function blocks(symbol: string, count: number): readonly string[] {
  const parts: string[] = [];
  for (let left = count; left > 0; left -= BLOCK) parts.push(`${symbol}{${Math.min(left, BLOCK)}}`);
  return parts;
}

function alternatives(options: readonly string[]): string {
  return options.length === 1 ? (options[0] ?? "") : `(${options.join(" | ")})`;
}

/** A text as a GBNF literal. */
function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
