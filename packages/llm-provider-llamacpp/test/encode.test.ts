import type { ChatRequest, Message } from "@enginehouse/llm-core";
import { describe, expect, test } from "vitest";

import { encodeChat, encodeOptions } from "../src/encode.ts";
import { encodeHistory } from "../src/engine/history.ts";

const model = { id: "m", path: "/m.gguf" };
const ask = (more: Partial<ChatRequest> = {}): ChatRequest => ({
  model: "m",
  messages: [{ role: "user", content: "hi" }],
  ...more,
});
const jobOf = (more: Partial<ChatRequest> = {}) => encodeChat(ask(more), model).job;

describe("the history", () => {
  test("ends with the model's turn", () => {
    expect(encodeHistory([{ role: "user", content: "hi" }])).toEqual([
      { type: "user", text: "hi" },
      { type: "model", response: [] },
    ]);
  });

  test("keeps a call, its result and the text after it in one turn of the model", () => {
    const messages: Message[] = [
      {
        role: "user",
        content: [
          { type: "text", text: "wea" },
          { type: "text", text: "ther" },
        ],
      },
      {
        role: "assistant",
        content: [
          { type: "reasoning", text: "a tool" },
          { type: "text", text: "I look." },
          { type: "tool-call", id: "1", name: "sky", input: { at: "x" } },
          { type: "tool-call", id: "2", name: "sea", input: {} },
        ],
      },
      {
        role: "tool",
        content: [
          { type: "tool-result", id: "2", name: "sea", output: "gone", isError: true },
          { type: "tool-result", id: "1", name: "sky", output: "grey" },
        ],
      },
      { role: "assistant", content: "It is grey." },
      { role: "user", content: "thanks" },
    ];
    expect(encodeHistory(messages)).toEqual([
      { type: "user", text: "weather" },
      {
        type: "model",
        response: [
          { type: "segment", segmentType: "thought", text: "a tool", ended: true },
          "I look.",
          { type: "functionCall", name: "sky", params: { at: "x" }, result: "grey", startsNewChunk: true },
          { type: "functionCall", name: "sea", params: {}, result: { error: "gone" }, startsNewChunk: false },
          "It is grey.",
        ],
      },
      { type: "user", text: "thanks" },
      { type: "model", response: [] },
    ]);
  });

  test("leaves frozen messages as they are", () => {
    const messages = Object.freeze([Object.freeze({ role: "user", content: "hi" } as const)]);
    expect(encodeHistory(messages)).toHaveLength(2);
  });

  test("has no room for files", () => {
    const file = { type: "file", mediaType: "image/png", data: new Uint8Array() } as const;
    expect(() => encodeHistory([{ role: "user", content: [file] }])).toThrow(/reads no files/);
  });
});

describe("the sampling", () => {
  test("says every value, and no penalty unless asked", () => {
    const { sampling } = jobOf();
    expect(sampling).toEqual({
      temperature: 0,
      topP: 0.95,
      topK: 40,
      minP: 0,
      seed: undefined,
      repeatPenalty: false,
    });
  });

  test("passes all options on unchanged", () => {
    const options = { temperature: 0.7, topP: 0.5, topK: 7, minP: 0.1, seed: 42 };
    expect(jobOf({ ...options, frequencyPenalty: 0.3 }).sampling).toEqual({
      ...options,
      repeatPenalty: { penalty: 1, frequencyPenalty: 0.3, presencePenalty: 0 },
    });
    expect(jobOf({ stop: ["a", "b"], maxTokens: 9, keepAlive: 0 })).toMatchObject({
      stop: ["a", "b"],
      maxTokens: 9,
      keepAlive: 0,
    });
  });
});

test("an effort becomes a budget of thought", () => {
  expect(jobOf().thoughts).toEqual({ wanted: undefined });
  expect(jobOf({ reasoning: "none" }).thoughts).toEqual({ wanted: false, budget: 0 });
  expect(jobOf({ reasoning: "low" }).thoughts).toEqual({ wanted: true, budget: 512 });
  expect(jobOf({ reasoning: "high" }).thoughts).toEqual({ wanted: true, budget: undefined });
});

test("a tool's name is refused when no call could carry it", () => {
  expect(() => encodeChat(ask({ tools: [{ name: "two words" }] }), model)).toThrow(/two words/);
  expect(() => encodeChat(ask({ tools: [{ name: "a\0b" }] }), model)).toThrow(/name/);
});

test("options of other providers are ignored, unknown ones of this one refused", () => {
  expect(encodeOptions({ providerOptions: { other: { x: 1 }, llamacpp: { force: true } } })).toEqual({
    force: true,
  });
  expect(() => encodeOptions({ providerOptions: { llamacpp: { force: "yes" } } })).toThrow(/force/);
});

test("a message or a part that no one knows is refused, not left out", () => {
  const refused = (messages: unknown): unknown => {
    try {
      return encodeHistory(messages as Message[]);
    } catch (error) {
      return error;
    }
  };
  expect(refused([{ role: "developer", content: "be kind" }])).toMatchObject({
    code: "invalid-request",
    message: expect.stringContaining("developer"),
  });
  expect(refused([{ role: "assistant", content: [{ type: "image" }] }])).toMatchObject({
    code: "invalid-request",
    message: expect.stringContaining("image"),
  });
});

test("a tool whose name would vanish on the way is refused", () => {
  expect(() => encodeChat(ask({ tools: [{ name: "__proto__" }] }), model)).toThrow(/__proto__/);
});
