import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { writeRandomGguf } from "@enginehouse/llm-reference-model/scripted";
import { Ajv2020 } from "ajv/dist/2020.js";
import {
  getLlama,
  type Llama,
  type LlamaContextSequence,
  LlamaGrammarEvaluationState,
  LlamaLogLevel,
} from "node-llama-cpp";
import { afterAll, beforeAll, expect, test } from "vitest";

import { checkJson, checkValue } from "../src/grammar/check.ts";
import { compileGrammar } from "../src/grammar/grammar.ts";
import { createRandom, randomSchema } from "./random-schemas.ts";

const folder = mkdtempSync(join(tmpdir(), "property-"));
const SCHEMAS = 120;
const TOKENS = 700;
let llama: Llama;
let sequence: LlamaContextSequence;

beforeAll(async () => {
  const modelPath = join(folder, "random.gguf");
  writeRandomGguf(modelPath, { seed: 11, layers: 1 });
  llama = await getLlama({
    gpu: false,
    build: "never",
    skipDownload: true,
    logLevel: LlamaLogLevel.disabled,
    maxThreads: 1,
  });
  const model = await llama.loadModel({ modelPath });
  const context = await model.createContext({ contextSize: 1_024, threads: 1 });
  sequence = context.getSequence();
});
afterAll(async () => {
  await llama.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** What a model that knows nothing writes when only the grammar holds it; `undefined` when it has not come to an end. */
async function write(gbnf: string, seed: number): Promise<string | undefined> {
  const { model } = sequence;
  const grammar = await llama.createGrammar({ grammar: gbnf });
  await sequence.clearHistory();
  const tokens: number[] = [];
  const states = new LlamaGrammarEvaluationState({ model, grammar });
  for await (const token of sequence.evaluate(model.tokenize(`${seed}`), {
    temperature: 1.5,
    seed,
    grammarEvaluationState: states,
    yieldEogToken: true,
  })) {
    if (model.isEogToken(token)) return model.detokenize(tokens as never);
    tokens.push(token);
    if (tokens.length === TOKENS) return undefined;
  }
  return undefined;
}

test(
  "whatever a model writes under the grammar of a schema is valid under that schema",
  { timeout: 120_000 },
  async () => {
    const judge = new Ajv2020({ strict: false, validateFormats: false });
    let finished = 0;
    const wrong: unknown[] = [];
    for (let seed = 1; seed <= SCHEMAS; seed++) {
      const schema = randomSchema(seed);
      const { gbnf } = compileGrammar(schema);
      const text = await write(gbnf, seed);
      // A model of single bytes may write some that are no UTF-8. The engine counts those in its own way, a reader of
      // the text in another: lengths may then be wrong, and the check after generation is what finds it.
      if (text === undefined || text.includes("\uFFFD")) continue;
      finished++;
      const own = checkJson(text, schema);
      if ("fault" in own) wrong.push({ seed, text, schema, own });
      else if (!judge.validate(schema, own.value))
        wrong.push({ seed, text, schema, judge: judge.errorsText() });
    }
    expect(wrong).toEqual([]);
    expect(finished).toBeGreaterThan(SCHEMAS / 2);
  },
);

test("our check and an independent one agree on values that are right and on values that are not", () => {
  const judge = new Ajv2020({ strict: false, validateFormats: false });
  const disagreements: unknown[] = [];
  const counts = { valid: 0, invalid: 0 };
  for (let kind = 1; kind <= 150; kind++) {
    const schema = withoutFormats(randomSchema(kind));
    const validate = judge.compile(schema);
    for (let seed = 1; seed <= 20; seed++) {
      const value = randomValue(schema, createRandom(kind * 100 + seed), schema, 0);
      const own = checkValue(value, schema).length === 0;
      counts[own ? "valid" : "invalid"]++;
      if (own !== validate(value))
        disagreements.push({ kind, seed, schema, value, own, judge: validate.errors });
    }
  }
  expect(disagreements).toEqual([]);
  expect(Math.min(counts.valid, counts.invalid)).toBeGreaterThan(300);
});

function withoutFormats<Schema>(schema: Schema): Schema {
  return JSON.parse(
    JSON.stringify(schema, (key, value: unknown) => (key === "format" ? undefined : value)),
  ) as Schema;
}

/** A value that follows the schema most of the time. */
function randomValue(
  schema: unknown,
  random: (below: number) => number,
  root: Record<string, unknown>,
  depth: number,
): unknown {
  const anything = [null, true, "", "abcdefghijk", -3, 0.5, 77, [], {}, { a: 1 }, ["x"]];
  if (random(14) === 0 || depth > 6 || typeof schema !== "object" || schema === null)
    return anything[random(anything.length)];
  const own = schema as Record<string, unknown>;
  const next = (inner: unknown): unknown => randomValue(inner, random, root, depth + 1);
  if (typeof own["$ref"] === "string")
    return next((root["$defs"] as Record<string, unknown>)[own["$ref"].slice(8)]);
  for (const key of ["anyOf", "oneOf"]) {
    const branches = own[key];
    if (Array.isArray(branches)) return next(branches[random(branches.length)]);
  }
  if (Array.isArray(own["allOf"])) return Object.assign({}, ...own["allOf"].map(next)) as unknown;
  if ("const" in own) return own["const"];
  if (Array.isArray(own["enum"])) return own["enum"][random(own["enum"].length)] as unknown;
  const types: unknown[] = Array.isArray(own["type"]) ? own["type"] : [own["type"] ?? "object"];
  switch (types[random(types.length)]) {
    case "object": {
      const required = own["required"] as readonly string[] | undefined;
      const entries = Object.entries((own["properties"] ?? {}) as Record<string, unknown>);
      return Object.fromEntries(
        entries
          .filter(([name]) => random(9) > 0 && (required?.includes(name) === true || random(2) === 0))
          .map(([name, inner]) => [name, next(inner)]),
      );
    }
    case "array": {
      const prefix = own["prefixItems"];
      if (Array.isArray(prefix)) return prefix.map(next);
      return Array.from({ length: random(4) }, () => next(own["items"]));
    }
    case "string":
      return "aé😀b".repeat(random(3)).slice(0, 2 * random(5));
    case "integer":
      return Number(own["minimum"] ?? 0) + random(40) - 1;
    case "number":
      return Number(own["minimum"] ?? own["exclusiveMinimum"] ?? 0) + random(40) / 4 - 0.25;
    case "boolean":
      return random(2) === 0;
    default:
      return null;
  }
}
