import { setTimeout as pause } from "node:timers/promises";

import {
  type ChatRequest,
  collect,
  generate,
  type LlmError,
  type Message,
  type ToolDefinition,
} from "@enginehouse/llm-core";
import { afterAll, expect, type TestContext, test, vi } from "vitest";

import { createOpenai, type OpenaiProvider } from "../../src/index.ts";
import { CALLER, CHAT_MODEL, EMBEDDER, type LlamaServer, startLlama } from "./llama-server.ts";

const WINDOW = 2_048;
const KEY = "key-for-tests";
const FLAGS = ["-c", String(WINDOW), "-np", "1", "--jinja", "--slots", "--alias", "smol", "--api-key", KEY];
const model = "smol";
const question: readonly Message[] = [{ role: "user", content: "What is the capital of France?" }];

let started: Promise<LlamaServer> | undefined;
let provider: OpenaiProvider | undefined;

/** One server for all the tests: starting it takes seconds. */
async function server(context: TestContext): Promise<{ llama: LlamaServer; openai: OpenaiProvider }> {
  const llama = await (started ??= startLlama(context, CHAT_MODEL, FLAGS));
  const openai = (provider ??= createOpenai({ preset: "llama-server", baseUrl: llama.address, apiKey: KEY }));
  return { llama, openai };
}

afterAll(async () => {
  await provider?.close();
  await (await started?.catch(() => undefined))?.stop();
});

test("a real server answers a question, with usage, timings and how far it has read", async (context) => {
  const { openai } = await server(context);
  const events: string[] = [];
  const stream = openai.stream({ model, messages: question, maxTokens: 24, temperature: 0 });
  for await (const event of stream) events.push(event.type);
  expect(events[0]).toBe("start");
  expect(events).toContain("status");
  expect(events.filter((type) => type === "text-delta").length).toBeGreaterThan(3);
  const answer = await generate(openai, { model, messages: question, maxTokens: 24, temperature: 0 });
  expect(answer.text.length).toBeGreaterThan(5);
  expect(answer.usage.inputTokens).toBeGreaterThan(10);
  expect(answer.usage.outputTokens).toBeGreaterThan(2);
  // Asked a second time, the server had most of the prompt.
  expect(answer.usage.cachedInputTokens).toBeGreaterThan(5);
  expect(answer.timings?.generationMs).toBeGreaterThan(0);
});

test("the output limit ends an answer with length", async (context) => {
  const { openai } = await server(context);
  const answer = await generate(openai, { model, messages: question, maxTokens: 3 });
  expect(answer.finishReason).toEqual({ unified: "length", raw: "length" });
  expect(answer.usage.outputTokens).toBe(3);
});

test("its output obeys a schema", async (context) => {
  const { openai } = await server(context);
  const schema = {
    type: "object",
    properties: { city: { type: "string", maxLength: 20 }, inhabitants: { type: "integer" } },
    required: ["city", "inhabitants"],
    additionalProperties: false,
  } as const;
  const request: ChatRequest = {
    model,
    messages: [{ role: "user", content: "Name the capital of France and its inhabitants, as JSON." }],
    responseFormat: { type: "json", schema },
    maxTokens: 120,
    temperature: 0,
  };
  const { output } = await generate(openai, request);
  expect(output).toMatchObject({ city: expect.any(String), inhabitants: expect.any(Number) });
});

test("output of any shape is JSON from its first letter", async (context) => {
  const { openai } = await server(context);
  const messages: Message[] = [{ role: "user", content: "Describe a city, as JSON." }];
  const request = {
    model,
    messages,
    responseFormat: { type: "json" },
    maxTokens: 40,
    temperature: 0,
  } as const;
  // So short that it is cut: what counts is that nothing stands around it.
  const text = await generate(openai, request).then(
    (answer) => answer.text,
    (error: unknown) => (error as LlmError).partial?.text,
  );
  expect(text).toMatch(/^\s*\{/);
});

test("calls come from a real server, two at once, and their results go back", async (context) => {
  const llama = await startLlama(context, CALLER, ["-c", "2048", "-np", "1", "--jinja", "--alias", "caller"]);
  const openai = createOpenai({ preset: "llama-server", baseUrl: llama.address });
  const tool: ToolDefinition = {
    name: "get_time",
    description: "Get the current time in a time zone",
    inputSchema: {
      type: "object",
      properties: { timezone: { type: "string", description: "Time zone or city" } },
      required: ["timezone"],
    },
  };
  const messages: Message[] = [
    { role: "system", content: "You are a helpful assistant." },
    { role: "user", content: "What time is it in Berlin? What time is it in London?" },
  ];
  try {
    const request: ChatRequest = {
      model: "caller",
      messages,
      tools: [tool],
      temperature: 0,
      reasoning: "none",
      providerOptions: { openai: { parallel_tool_calls: true } },
    };
    const asked = await generate(openai, request);
    expect(asked.finishReason).toEqual({ unified: "tool-calls", raw: "tool_calls" });
    expect(asked.toolCalls).toHaveLength(2);
    expect(asked.toolCalls[0]).toMatchObject({ name: "get_time", input: { timezone: expect.any(String) } });
    const results: Message[] = asked.toolCalls.map(({ id, name }) => ({
      role: "tool",
      content: [{ type: "tool-result", id, name, output: "12:00" }],
    }));
    const answer = await generate(openai, { ...request, messages: [...messages, asked.message, ...results] });
    expect(answer.text).not.toBe("");
    const forced = await generate(openai, {
      ...request,
      toolChoice: "required",
      messages: [{ role: "user", content: "What time is it in Rome?" }],
    });
    expect(forced.toolCalls).not.toEqual([]);
  } finally {
    await openai.close();
    await llama.stop();
  }
});

test("a prompt beyond the window is refused with its figures, and drop-oldest makes room", async (context) => {
  const { openai } = await server(context);
  const messages: Message[] = [{ role: "user", content: "word ".repeat(3_000) }];
  await expect(generate(openai, { model, messages })).rejects.toMatchObject({
    code: "context-overflow",
    status: 400,
    figures: { window: WINDOW, promptTokens: expect.any(Number) },
  });
  const long: Message[] = [...messages, { role: "assistant", content: "Yes." }, ...question];
  const answer = await generate(openai, { model, messages: long, overflow: "drop-oldest", maxTokens: 8 });
  expect(answer.warnings).toContainEqual(expect.objectContaining({ code: "dropped" }));
});

for (const way of ["the signal", "leaving the loop"] as const) {
  // A server that shares two cores with other tests may take longer to notice. One that was not told runs on for
  // all of its thousand tokens, each time.
  test(`after ${way} the server's slot is idle within 100 ms`, { retry: 4 }, async (context) => {
    const { llama, openai } = await server(context);
    const abort = new AbortController();
    const request: ChatRequest = {
      model,
      messages: [{ role: "user", content: "Count from 1 to 1000, one number on each line." }],
      maxTokens: 1_000,
    };
    let seen = 0;
    const read = (async () => {
      for await (const event of openai.stream(request, { signal: abort.signal })) {
        if (event.type === "text-delta") seen += 1;
        if (seen < 5) continue;
        expect(await llama.busy()).toBe(true);
        if (way === "leaving the loop") break;
        abort.abort();
      }
    })();
    const ended = await read.then(
      () => "read",
      (error: unknown) => (error as { code?: string }).code,
    );
    expect(ended).toBe(way === "the signal" ? "aborted" : "read");
    await pause(100);
    const busy = await llama.busy();
    // The next try begins with an idle server.
    await vi.waitFor(async () => expect(await llama.busy()).toBe(false), { timeout: 5_000, interval: 100 });
    expect(busy).toBe(false);
  });
}

test("a wrong key is unauthenticated, and never told", async (context) => {
  const { llama } = await server(context);
  const wrong = createOpenai({ baseUrl: llama.address, apiKey: "sk-wrong-and-secret" });
  const fault = await generate(wrong, { model, messages: question }).catch((error: unknown) => error);
  expect(fault).toMatchObject({ code: "unauthenticated", status: 401 });
  expect(JSON.stringify(fault)).not.toContain("sk-wrong");
  await wrong.close();
});

test("it tells its version, its model and the window in force", async (context) => {
  const { openai } = await server(context);
  const health = await openai.health();
  expect(health).toMatchObject({ status: "ok", version: expect.any(String) });
  const [info] = await openai.listModels();
  expect(info).toMatchObject({ id: model, parameters: expect.any(Number), sizeBytes: expect.any(Number) });
  const description = await openai.describeModel(model);
  expect(description.contextWindow).toBe(WINDOW);
  expect(description.capabilities.vision).toEqual({ value: "no", source: "reported" });
  await expect(openai.describeModel("another")).rejects.toMatchObject({ code: "model-not-found" });
});

test("it goes on with an assistant's message, and the answer is what it adds", async (context) => {
  const { openai } = await server(context);
  const given = "The capital of France is the beautiful city of";
  const messages: Message[] = [...question, { role: "assistant", content: given }];
  const { text } = await generate(openai, { model, messages, maxTokens: 12, temperature: 0 });
  expect(text).not.toContain(given);
  expect(text).toContain("Paris");
});

test("it goes on with a message of several parts, over Responses as over Chat Completions", async (context) => {
  const { llama } = await server(context);
  const given = ["The capital of France is ", "the beautiful city of"];
  const content = given.map((text) => ({ type: "text", text }) as const);
  const messages: Message[] = [...question, { role: "assistant", content }];
  for (const api of ["chat", "responses"] as const) {
    const openai = createOpenai({ preset: "llama-server", baseUrl: llama.address, apiKey: KEY, api });
    const { text } = await generate(openai, { model, messages, maxTokens: 12, temperature: 0 });
    expect(text).toMatch(/^ ?Paris/);
    await openai.close();
  }
});

test("its Responses answer, too", async (context) => {
  const { llama } = await server(context);
  const openai = createOpenai({
    preset: "llama-server",
    baseUrl: llama.address,
    apiKey: KEY,
    api: "responses",
  });
  const stream = openai.stream({ model, messages: question, maxTokens: 24, temperature: 0 });
  const answer = await collect(stream);
  expect(answer.text.length).toBeGreaterThan(5);
  expect(answer.finishReason.unified).toMatch(/stop|length/);
  expect(answer.usage.outputTokens).toBeGreaterThan(2);
  const schema = {
    type: "object",
    properties: { number: { type: "integer" } },
    required: ["number"],
    additionalProperties: false,
  } as const;
  const { output } = await generate(openai, {
    model,
    messages: [{ role: "user", content: "Say a small number, as JSON." }],
    responseFormat: { type: "json", schema },
    maxTokens: 60,
    temperature: 0,
  });
  expect(output).toMatchObject({ number: expect.any(Number) });
  await openai.close();
});

test("a server that was started for it embeds, in the order of the texts, and refuses a text too long", async (context) => {
  // A model that is there wherever the engine is; the other test asks what vectors mean.
  const flags = ["--embeddings", "--pooling", "mean", "-c", "512", "-np", "1", "--alias", "smol"];
  const llama = await startLlama(context, CHAT_MODEL, flags);
  const openai = createOpenai({ preset: "llama-server", baseUrl: llama.address, quirks: { embedBatch: 2 } });
  try {
    const texts = ["one", "two", "three", "one"];
    const { vectors, usage } = await openai.embed({ model, texts });
    expect(vectors.map((vector) => vector.length)).toEqual([576, 576, 576, 576]);
    for (const vector of vectors) expect(Math.hypot(...vector)).toBeCloseTo(1, 4);
    const far = (one = 0, other = 0): number =>
      Math.hypot(...Array.from(vectors[one] ?? []).map((value, at) => value - (vectors[other]?.[at] ?? 0)));
    expect(far(0, 3)).toBeLessThan(0.05);
    expect(far(0, 1)).toBeGreaterThan(0.05);
    expect(usage.inputTokens).toBeGreaterThan(2);
    await expect(openai.embed({ model, texts: ["word ".repeat(2_000)] })).rejects.toMatchObject({
      code: "input-too-long",
      figures: { tokens: expect.any(Number), limit: expect.any(Number) },
    });
  } finally {
    await openai.close();
    await llama.stop();
  }
});

test("embeddings of a real model tell near from far, and a text too long is refused", async (context) => {
  const llama = await startLlama(context, EMBEDDER, ["--embeddings", "--alias", "mini"]);
  const openai = createOpenai({ preset: "llama-server", baseUrl: llama.address });
  try {
    const texts = [
      "A cat sleeps on the sofa.",
      "A kitten naps on the couch.",
      "The stock market fell sharply.",
    ];
    const { vectors, usage } = await openai.embed({ model: "mini", texts });
    const dot = (one = 0, other = 0): number =>
      Array.from(vectors[one] ?? []).reduce((sum, value, at) => sum + value * (vectors[other]?.[at] ?? 0), 0);
    expect(vectors.map((vector) => vector.length)).toEqual([384, 384, 384]);
    expect(dot(0, 0)).toBeCloseTo(1, 4);
    expect(dot(0, 1)).toBeGreaterThan(dot(0, 2) + 0.2);
    expect(usage.inputTokens).toBeGreaterThan(15);
    const long = openai.embed({ model: "mini", texts: ["word ".repeat(2_000)] });
    await expect(long).rejects.toMatchObject({
      code: "input-too-long",
      figures: { tokens: expect.any(Number), limit: expect.any(Number) },
    });
  } finally {
    await openai.close();
    await llama.stop();
  }
});
