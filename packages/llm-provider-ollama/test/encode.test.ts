import type { ChatRequest, Message } from "@enginehouse/llm-core";
import { describe, expect, test } from "vitest";

import { encodeChat, encodeEmbed, encodeLoad, hasImage, mayBeRefused } from "../src/encode.ts";

const nothing = { window: undefined, keepAlive: undefined };
const messages: readonly Message[] = [{ role: "user", content: "hi" }];
const ask = (more: Partial<ChatRequest> = {}): ChatRequest => ({ model: "m", messages, ...more });
const bodyOf = (request: ChatRequest): Record<string, unknown> =>
  encodeChat(request, nothing, new Set()).body;

describe("a request becomes Ollama's", () => {
  test("with every option under Ollama's name, zeros too, and stop as a list", () => {
    const request = ask({
      temperature: 0,
      topP: 0.5,
      topK: 0,
      minP: 0,
      seed: 0,
      stop: ["\n", "END"],
      maxTokens: 7,
      repeatPenalty: 1,
      presencePenalty: 0,
      frequencyPenalty: -1,
    });
    expect(bodyOf(request)["options"]).toEqual({
      temperature: 0,
      top_p: 0.5,
      top_k: 0,
      min_p: 0,
      seed: 0,
      stop: ["\n", "END"],
      num_predict: 7,
      repeat_penalty: 1,
      presence_penalty: 0,
      frequency_penalty: -1,
    });
    expect(bodyOf(ask())).not.toHaveProperty("options");
  });

  test("with calls, their results and thoughts in the fields that Ollama has for them", () => {
    const history: readonly Message[] = [
      { role: "system", content: "Be brief." },
      { role: "user", content: "Time in Berlin and London?" },
      {
        role: "assistant",
        content: [
          { type: "reasoning", text: "Two calls." },
          { type: "text", text: "Let me see." },
          { type: "tool-call", id: "a", name: "get_time", input: { timezone: "Berlin" } },
          { type: "tool-call", id: "b", name: "get_time", input: {} },
        ],
      },
      {
        role: "tool",
        content: [
          { type: "tool-result", id: "a", name: "get_time", output: "12:00" },
          { type: "tool-result", id: "b", name: "get_time", output: { code: 4 }, isError: true },
        ],
      },
    ];
    expect(bodyOf(ask({ messages: history }))["messages"]).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: "Time in Berlin and London?" },
      {
        role: "assistant",
        content: "Let me see.",
        thinking: "Two calls.",
        tool_calls: [
          {
            id: "a",
            type: "function",
            function: { index: 0, name: "get_time", arguments: { timezone: "Berlin" } },
          },
          { id: "b", type: "function", function: { index: 1, name: "get_time", arguments: {} } },
        ],
      },
      { role: "tool", tool_name: "get_time", tool_call_id: "a", content: "12:00" },
      { role: "tool", tool_name: "get_time", tool_call_id: "b", content: '{"error":{"code":4}}' },
    ]);
  });

  test("with tools that have a schema, or none; a named choice offers that one alone", () => {
    const tools = [
      { name: "one", description: "The first.", inputSchema: { type: "object", properties: {} } },
      { name: "two" },
    ];
    const parameters = { type: "object", properties: {} };
    expect(bodyOf(ask({ tools }))["tools"]).toEqual([
      { type: "function", function: { name: "one", description: "The first.", parameters } },
      { type: "function", function: { name: "two", parameters } },
    ]);
    const named = ask({ tools, toolChoice: { name: "two" }, unsupported: "warn" });
    expect(bodyOf(named)["tools"]).toEqual([{ type: "function", function: { name: "two", parameters } }]);
  });

  test("with Ollama's own options, but for the window, which would load the model anew", () => {
    const own = (ollama: NonNullable<ChatRequest["providerOptions"]>[string]): ChatRequest =>
      ask({ temperature: 0.5, providerOptions: { ollama, other: { options: 1 } } });
    expect(
      bodyOf(own({ options: { num_gpu: 3, repeat_last_n: 8 }, think: "max", logprobs: true })),
    ).toMatchObject({
      options: { num_gpu: 3, repeat_last_n: 8, temperature: 0.5 },
      think: "max",
      logprobs: true,
    });
    expect(() => bodyOf(own({ options: { num_ctx: 9 } }))).toThrow(/num_ctx/);
    expect(() => bodyOf(own({ options: [] }))).toThrow(/options: expected an object/);
    expect(() => bodyOf(own({ typo: 1 }))).toThrow(/providerOptions\.ollama\.typo: there are options, think/);
    expect(() => encodeEmbed("m", ["a"], nothing, { ollama: { think: true } })).toThrow(/ollama\.think/);
  });

  test.each([
    ["role", { role: "robot", content: "x" }],
    ["part", { role: "user", content: [{ type: "smell" }] }],
    ["part", { role: "assistant", content: [{ type: "smell" }] }],
  ])("an unknown %s is refused, not left out", (what, message) => {
    expect(() => bodyOf(ask({ messages: [message as unknown as Message] }))).toThrow(`there is no ${what}`);
  });

  test("what is no image is refused by its media type", () => {
    const content = [{ type: "file", mediaType: "application/pdf", data: Uint8Array.of(1) }] as const;
    expect(() => bodyOf(ask({ messages: [{ role: "user", content }] }))).toThrow(/application\/pdf/);
    expect(hasImage(ask({ messages: [{ role: "user", content }] }))).toBe(true);
  });
});

test("only what a server may refuse and we may do without holds the start back", () => {
  const tools = [{ name: "one" }];
  expect(mayBeRefused(ask())).toBe(false);
  expect(mayBeRefused(ask({ tools }))).toBe(false);
  expect(mayBeRefused(ask({ reasoning: "none" }))).toBe(false);
  expect(mayBeRefused(ask({ tools, unsupported: "warn" }))).toBe(true);
  expect(mayBeRefused(ask({ reasoning: "low" }))).toBe(true);
});

test("a load says all that a chat says about the model, so that a chat after it loads nothing", () => {
  const residence = { window: 512, keepAlive: 1_000 };
  const load = encodeLoad("m", residence);
  const { body } = encodeChat(ask(), residence, new Set());
  for (const field of ["truncate", "shift", "keep_alive", "options"])
    expect(load[field]).toEqual(body[field]);
});

test("a time that no Go duration holds is for good", () => {
  const keptFor = (keepAlive: number): unknown =>
    encodeLoad("m", { window: undefined, keepAlive })["keep_alive"];
  expect([60_000, 1_500.5, 1e12, 1e13, Number.MAX_VALUE, Number.POSITIVE_INFINITY].map(keptFor)).toEqual([
    60,
    "1501ms",
    1e9,
    -1,
    -1,
    -1,
  ]);
});
