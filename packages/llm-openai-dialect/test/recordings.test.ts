import { expect, test } from "vitest";

import { decodeEmbed, faultOfReply } from "../src/index.ts";
import { answerOf, brokenOff, eventsOf, recording } from "./read.ts";

test("a stream of llama-server is read, whatever the bytes are cut into", async () => {
  const { body } = recording("llama-server/chat-stream");
  const whole = await answerOf(body);
  expect(whole.text).toMatch(/^I am a tiny reference model/);
  expect(whole.finishReason).toEqual({ unified: "stop", raw: "stop" });
  for (const cut of [1, 7, 4_096]) expect(await answerOf(body, { cut })).toEqual(whole);
});

test("its timings count tokens where it tells no usage, and usage wins where it does", async () => {
  const without = await answerOf(recording("llama-server/chat-stream").body);
  expect(without.usage).toMatchObject({ inputTokens: expect.any(Number), outputTokens: expect.any(Number) });
  const { usage, timings } = await answerOf(recording("llama-server/chat-stream-usage").body);
  expect(usage).toEqual({ inputTokens: 23, outputTokens: 19, cachedInputTokens: 22 });
  expect(timings).toEqual({ promptMs: 0.446, generationMs: 7.432 });
});

test("usage that Ollama's /v1 does not tell is not known", async () => {
  const { usage } = await answerOf(recording("ollama/v1-chat-stream").body);
  expect(usage).toEqual({ inputTokens: undefined, outputTokens: undefined });
  const told = await answerOf(recording("ollama/v1-chat-stream-usage").body);
  expect(told.usage).toEqual({ inputTokens: 23, outputTokens: 19 });
});

test.each(["llama-server/chat-length", "llama-server/chat-fills-window", "ollama/v1-chat-length"])(
  "%s ends with length",
  async (name) => {
    expect((await answerOf(recording(name).body)).finishReason.unified).toBe("length");
  },
);

test.each(["llama-server/chat-think-stream", "ollama/v1-think-stream"])(
  "%s keeps thoughts apart from text",
  async (name) => {
    const { text, reasoning, message } = await answerOf(recording(name).body);
    expect(reasoning).toMatch(/^I should repeat the text/);
    expect(text).not.toContain("I should");
    expect(message.content).toMatchObject([{ type: "reasoning" }, { type: "text" }]);
  },
);

test("progress of the prompt is told before the text", async () => {
  const events = eventsOf(recording("llama-server/chat-stream-progress").body);
  const statuses = events.filter(({ type }) => type === "status");
  expect(statuses).toEqual([
    { type: "status", status: "prefill", progress: 0 },
    { type: "status", status: "prefill", progress: 1 },
  ]);
});

test.each(["llama-server/chat-tool-stream", "llama-server/chat-tools-stream", "ollama/v1-tool-stream"])(
  "%s gives its calls",
  async (name) => {
    const { toolCalls, finishReason } = await answerOf(recording(name).body, { cut: 5 });
    const count = name.includes("chat-tool-") ? 1 : 2;
    expect(toolCalls).toHaveLength(count);
    expect(new Set(toolCalls.map(({ id }) => id)).size).toBe(count);
    for (const { input, inputText } of toolCalls) expect(input).toEqual(JSON.parse(inputText));
    expect(finishReason).toEqual({ unified: "tool-calls", raw: "tool_calls" });
  },
);

test.each([
  "llama-server/chat-server-killed",
  "llama-server/chat-server-term",
  "ollama/v1-runner-killed",
  "ollama/v1-repeats-rendered",
])("%s has been interrupted, and what had come is kept", (name) => {
  const { fault, text } = brokenOff(recording(name).body);
  expect(fault).toMatchObject({ code: "stream-interrupted", retryable: true, phase: "stream" });
  expect(text.length).toBeGreaterThan(1);
});

test.each([
  ["llama-server/chat-overflow-stream", 1212, 1024],
  ["ollama/v1-overflow", 5612, 2048],
])("%s is an overflow with its figures, also inside another error", (name, promptTokens, window) => {
  const { status, body } = recording(name);
  expect(faultOfReply(status, body, "chat")).toMatchObject({
    code: "context-overflow",
    status,
    figures: { promptTokens, window },
  });
});

test.each([
  ["chat-image", "chat", "unsupported"],
  ["chat-bad-json", "chat", "invalid-request"],
  ["chat-param-wrong-type", "chat", "invalid-request"],
  ["embed-chat", "chat", "unsupported"],
  ["embeddings-off", "embed", "unsupported"],
  ["path-missing", "chat", "unsupported"],
  ["key-missing", "chat", "unauthenticated"],
] as const)("llama-server/%s is %s: %s", (name, operation, code) => {
  const { status, body } = recording(`llama-server/${name}`);
  expect(faultOfReply(status, body, operation)).toMatchObject({ code, status, retryable: false });
});

test("a text beyond the batch is too long, with its figures", () => {
  const { status, body } = recording("llama-server/embeddings-too-long");
  expect(faultOfReply(status, body, "embed")).toMatchObject({
    code: "input-too-long",
    figures: { tokens: 1502, limit: 512 },
  });
});

test.each(["llama-server/chat-loading", "ollama/v1-model-missing"])(
  "%s is left to its status, whose reply may say when to try again",
  (name) => {
    const { status, body } = recording(name);
    expect(faultOfReply(status, body, "chat")).toBeUndefined();
  },
);

test("Responses of llama-server are read: thoughts, text, usage", async () => {
  const { body } = recording("llama-server/responses-stream");
  const answer = await answerOf(body, { api: "responses", cut: 3 });
  expect(answer.reasoning).toMatch(/^I should repeat the text/);
  expect(answer.text).not.toBe("");
  expect(answer.usage).toEqual({ inputTokens: 14, outputTokens: 18, cachedInputTokens: 7 });
  expect(answer.finishReason).toEqual({ unified: "stop", raw: "completed" });
});

test("embeddings come as numbers and as base64, of length 1", () => {
  const forms = [
    "llama-server/embeddings-one",
    "llama-server/embeddings-base64",
    "ollama/v1-embeddings-base64",
  ];
  for (const name of forms) {
    const { vectors } = decodeEmbed(JSON.parse(recording(name).body), 1);
    expect(Math.hypot(...(vectors[0] ?? []))).toBeCloseTo(1, 5);
  }
  expect(decodeEmbed(JSON.parse(recording("ollama/v1-embeddings").body), 2).vectors).toHaveLength(2);
});
