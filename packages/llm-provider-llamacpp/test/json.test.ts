import { type ChatRequest, generate } from "@enginehouse/llm-core";
import { expect, test } from "vitest";

import { createModelFolder } from "./model-folder.ts";

const models = createModelFolder();
const writer = models.scripted("writer", [{ say: '{"name": "Ada", "age": 36}' }]);
const nonsense = models.random("nonsense");
const provider = models.provider();

const schema = {
  type: "object",
  properties: { name: { type: "string", maxLength: 12 }, age: { type: "integer", minimum: 0, maximum: 150 } },
  required: ["name", "age"],
  additionalProperties: false,
} as const;
const ask = (more: Partial<ChatRequest> = {}): ChatRequest => ({
  model: writer,
  messages: [{ role: "user", content: "Who?" }],
  responseFormat: { type: "json", schema },
  ...more,
});

test("the output is a value of the schema, without anything around it", async () => {
  const answer = await generate(provider, ask());
  expect(answer.output).toEqual({ name: "Ada", age: 36 });
  expect(answer.text).toBe(answer.text.trim());
  expect(answer.finishReason.unified).toBe("stop");
});

test("a model that only writes nonsense still writes valid JSON", async () => {
  const list = {
    type: "array",
    minItems: 2,
    maxItems: 4,
    items: {
      type: "object",
      properties: { kind: { enum: ["fox", "owl"] }, age: { type: "integer", minimum: 3, maximum: 150 } },
      required: ["kind", "age"],
      additionalProperties: false,
    },
  } as const;
  for (const seed of [1, 2, 3]) {
    const responseFormat = { type: "json", schema: list } as const;
    const request = ask({ model: nonsense, temperature: 1.2, seed, maxTokens: 400, responseFormat });
    // What breaks the schema would be an error.
    expect((await generate(provider, request)).output).toBeInstanceOf(Array);
  }
});

test("output that breaks its schema keeps all of its text and its figures", async () => {
  const fault = await generate(
    provider,
    ask({
      model: models.scripted("rhymer", [{ say: '{"name": "one two three four five six seven eight nine"}' }]),
      unsupported: "warn",
      responseFormat: {
        type: "json",
        schema: {
          type: "object",
          properties: { name: { type: "string", pattern: "^b" } },
          required: ["name"],
        },
      },
    }),
  ).catch((error: unknown) => error);
  expect(fault).toMatchObject({
    code: "output-invalid",
    partial: {
      text: '{"name": "one two three four five six seven eight nine"}',
      usage: { inputTokens: expect.any(Number), outputTokens: expect.any(Number) },
    },
  });
});

test("output that the limit cuts is output-invalid and keeps its text", async () => {
  const fault = await generate(provider, ask({ maxTokens: 3 })).catch((error: unknown) => error);
  expect(fault).toMatchObject({ code: "output-invalid", hint: expect.stringContaining("maxTokens") });
  expect((fault as { partial: { text: string } }).partial.text.startsWith("{")).toBe(true);
});

test("a keyword that no grammar expresses is refused by name, or left out with a warning", async () => {
  const odd = {
    type: "object",
    properties: { a: { type: "string", contentEncoding: "base64" } },
    dependentSchemas: { a: {} },
  } as const;
  const request = ask({ responseFormat: { type: "json", schema: odd } });
  await expect(generate(provider, request)).rejects.toMatchObject({
    code: "unsupported",
    message: expect.stringContaining("dependentSchemas"),
  });
});
