import { fileURLToPath } from "node:url";

import { generate, type ModelFile } from "@enginehouse/llm-core";
import { referenceModels } from "@enginehouse/llm-reference-model";
import { afterAll, expect, test } from "vitest";

import { createLlamacpp } from "../src/index.ts";

// As an application hands over what it found in model packages.
const models = referenceModels
  .filter(({ format }) => format === "gguf")
  .map(({ id, task, url }): ModelFile => ({
    id,
    task,
    format: "gguf",
    path: fileURLToPath(url),
    bytes: 0,
    license: "Apache-2.0",
    demonstration: true,
    packageName: "@enginehouse/llm-reference-model",
  }));
const provider = createLlamacpp({ modelsDir: "nowhere", threads: 1, gpu: false }, { models });
afterAll(() => provider.close());

test("a model of a package is installed, and answers", async () => {
  expect((await provider.listModels()).map(({ id }) => id)).toEqual([
    "reference-model",
    "reference-embedder",
  ]);
  const messages = [{ role: "user", content: "Repeat exactly: blue mountain" }] as const;
  const answer = await generate(provider, { model: "reference-model", messages, maxTokens: 20 });
  expect(answer.text).toContain("blue mountain");
});

test("an answer that was begun is continued, not begun again", async () => {
  const messages = [
    { role: "user", content: "Repeat exactly: blue mountain" },
    { role: "assistant", content: "blue" },
  ] as const;
  const answer = await generate(provider, { model: "reference-model", messages, maxTokens: 20 });
  expect(answer.text).toMatch(/^ mountain/);
});

test("its thoughts are kept apart", async () => {
  const messages = [{ role: "user", content: "What is 2 plus 3? /think" }] as const;
  const answer = await generate(provider, { model: "reference-model", messages, maxTokens: 60 });
  expect(answer.reasoning).not.toBe("");
  expect(answer.text).not.toContain("think>");
});

test("a call that it writes comes in pieces of its own", async () => {
  const tools = [
    {
      name: "get_weather",
      description: "Get the current weather for a city",
      inputSchema: { type: "object", properties: { city: { enum: ["Paris", "Rome"] } }, required: ["city"] },
    },
  ] as const;
  const messages = [{ role: "user", content: "What is the weather in Paris?" }] as const;
  const pieces: string[] = [];
  let input: unknown;
  for await (const event of provider.stream({
    model: "reference-model",
    messages,
    tools,
    toolChoice: "required",
  })) {
    if (event.type === "tool-input-delta") pieces.push(event.text);
    if (event.type === "tool-call") input = event.input;
  }
  expect(pieces.length).toBeGreaterThan(1);
  expect(JSON.parse(pieces.join(""))).toEqual(input);
});

test("its embedder has a vector for an empty text, too, and finds the passage for a question", async () => {
  const texts = [
    "",
    "Backups are kept for thirty days.",
    "The cake needs two eggs.",
    "How long are backups kept?",
  ];
  const { vectors } = await provider.embed({ model: "reference-embedder", texts });
  const [nothing, backups, cake, question] = vectors as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const dot = (a: Float32Array, b: Float32Array): number =>
    a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
  expect(dot(nothing, nothing)).toBeCloseTo(1, 4);
  expect(dot(question, backups)).toBeGreaterThan(dot(question, cake) + 0.2);
});
