import { readFileSync } from "node:fs";

import { writeRandomGguf } from "@enginehouse/llm-reference-model/scripted";
import { LlamaCompletion } from "node-llama-cpp";
import { expect, test } from "vitest";

import { engine, temporaryFolder } from "./engine.ts";

const file = temporaryFolder();

test("the same seed writes the same random model", () => {
  writeRandomGguf(file("a.gguf"), { seed: 7 });
  writeRandomGguf(file("b.gguf"), { seed: 7 });
  writeRandomGguf(file("c.gguf"), { seed: 8 });
  expect(readFileSync(file("a.gguf")).equals(readFileSync(file("b.gguf")))).toBe(true);
  expect(readFileSync(file("a.gguf")).equals(readFileSync(file("c.gguf")))).toBe(false);
});

test("a random model writes what the seed of the sampling says", async () => {
  writeRandomGguf(file("random.gguf"));
  const llama = await engine();
  const model = await llama.loadModel({ modelPath: file("random.gguf") });
  const context = await model.createContext({ contextSize: 512 });
  const completion = new LlamaCompletion({ contextSequence: context.getSequence() });
  const write = (seed: number) =>
    completion.generateCompletion("Once", { seed, temperature: 1, maxTokens: 24 });
  const first = await write(1);
  expect(await write(1)).toBe(first);
  expect(await write(2)).not.toBe(first);
});
