import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { referenceModels } from "@enginehouse/llm-reference-model";
import { writeScriptedOnnx } from "@enginehouse/llm-reference-model/scripted";
import { describe, expect, test } from "vitest";

import { temporaryFolder } from "./engine.ts";
import { readOnnx, type OnnxModel } from "./onnx-reader.ts";

const file = temporaryFolder();
const bytesOf = new Map([
  [1, 4],
  [2, 1],
  [3, 1],
  [7, 8],
  [10, 2],
]);

/** Names that a node reads before anything has written them, and constants whose bytes are not those of their shape. */
function faultsOf({ nodes, constants, inputs, outputs }: OnnxModel): string[] {
  const known = new Set([...inputs, ...constants.map(({ name }) => name)]);
  const faults: string[] = [];
  for (const node of nodes) {
    for (const name of node.inputs) if (!known.has(name)) faults.push(`${node.operator} reads ${name}`);
    for (const name of node.outputs) {
      if (known.has(name)) faults.push(`${node.operator} writes ${name} again`);
      known.add(name);
    }
  }
  for (const name of outputs) if (!known.has(name)) faults.push(`nothing writes ${name}`);
  for (const { name, type, shape, bytes } of constants) {
    const size = shape.reduce((product, length) => product * length, bytesOf.get(type) ?? 0);
    if (size !== bytes) faults.push(`${name} has ${bytes} bytes, not ${size}`);
  }
  return faults;
}

describe("a scripted model in ONNX", () => {
  const folder = file("scripted");
  const say = "Hi there, 日本.";
  writeScriptedOnnx(folder, {
    script: [{ when: "hello", say }],
    contextWindow: 256,
    padding: { width: 64, layers: 2 },
  });
  const json = (name: string): Record<string, unknown> =>
    JSON.parse(readFileSync(`${folder}/${name}`, "utf8"));

  test("is a whole graph, with the inputs and outputs that transformers.js looks for", () => {
    const model = readOnnx(readFileSync(`${folder}/onnx/model.onnx`));
    expect(faultsOf(model)).toEqual([]);
    expect(model.operatorSet).toBe(17);
    expect(model.inputs).toEqual([
      "input_ids",
      "attention_mask",
      "position_ids",
      "past_key_values.0.key",
      "past_key_values.0.value",
    ]);
    expect(model.outputs).toEqual(["logits", "present.0.key", "present.0.value"]);
  });

  test("has a tokenizer whose ids are without gaps and whose words are those of the script", () => {
    const { model, added_tokens } = json("tokenizer.json") as unknown as {
      model: { vocab: Record<string, number> };
      added_tokens: { id: number; content: string; special: boolean }[];
    };
    const ids = Object.values(model.vocab).toSorted((a, b) => a - b);
    expect(ids).toEqual(ids.map((_, index) => index));
    expect(json("config.json")["vocab_size"]).toBe(ids.length);
    for (const { id, content } of added_tokens) expect(model.vocab[content]).toBe(id);
    const words = added_tokens.filter(({ special }) => !special).map(({ content }) => content);
    expect(words).toEqual(expect.arrayContaining(["hello", "Hi", " there,", " 日本."]));
  });

  test("says its window to the tokenizer and to the model", () => {
    expect(json("tokenizer_config.json")["model_max_length"]).toBe(256);
    expect(json("config.json")["max_position_embeddings"]).toBe(256);
  });
});

test.each(referenceModels.filter(({ format }) => format === "onnx"))("$id is a whole graph", ({ url }) => {
  const model = readOnnx(readFileSync(`${fileURLToPath(url)}/onnx/model_quantized.onnx`));
  expect(faultsOf(model)).toEqual([]);
});
