import { type ChatEvent, type ChatRequest, generate, type ToolDefinition } from "@enginehouse/llm-core";
import { expect, test } from "vitest";

import { createModelFolder } from "./model-folder.ts";

const models = createModelFolder();
const caller = models.scripted("caller", [
  { say: "No tool is needed." },
  {
    when: "weather",
    say: "I will look.",
    call: { name: "get_weather", arguments: { city: "Köln" } },
    after: { say: "It rains." },
  },
  {
    when: "both",
    call: [
      { name: "get_weather", arguments: { city: "Rome" } },
      { name: "get_time", arguments: { zone: "CET" } },
    ],
  },
  { when: "clock", call: { name: "time.now-in_UTC", arguments: {} } },
]);
const provider = models.provider();

const text = (name: string): ToolDefinition["inputSchema"] => ({
  type: "object",
  properties: { [name]: { type: "string" } },
  required: [name],
});
const tools: ToolDefinition[] = [
  { name: "get_weather", description: "Weather of a city", inputSchema: text("city") },
  { name: "get_time", description: "Time in a zone", inputSchema: text("zone") },
];
const ask = (content: string, more: Partial<ChatRequest> = {}): ChatRequest => ({
  model: caller,
  messages: [{ role: "user", content }],
  tools,
  ...more,
});

test("a call comes in pieces that add up to its input, after the text before it", async () => {
  const events: ChatEvent[] = [];
  for await (const event of provider.stream(ask("weather"))) events.push(event);
  const call = events.find((event) => event.type === "tool-call");
  expect(call).toMatchObject({ name: "get_weather", input: { city: "Köln" } });
  const pieces = events.flatMap((event) => (event.type === "tool-input-delta" ? [event.text] : []));
  expect(pieces.join("")).toBe(call?.inputText);
  const types = events
    .map(({ type }) => type)
    .filter((type) => type !== "status" && !type.endsWith("-delta"));
  expect(types).toEqual([
    "start",
    "text-start",
    "text-end",
    "tool-input-start",
    "tool-input-end",
    "tool-call",
    "finish",
  ]);
  expect(events.at(-1)).toMatchObject({ reason: { unified: "tool-calls", raw: "functionCalls" } });
});

test("two tools in one answer are two calls", async () => {
  const { toolCalls, finishReason } = await generate(provider, ask("both"));
  expect(toolCalls).toMatchObject([
    { name: "get_weather", input: { city: "Rome" } },
    { name: "get_time", input: { zone: "CET" } },
  ]);
  expect(finishReason.unified).toBe("tool-calls");
});

test("several calls in one answer have ids of their own", async () => {
  // It never ends its turn by itself, and tools are all that it may write.
  const nonsense = models.random("nonsense");
  const choice: ToolDefinition = {
    name: "choose",
    inputSchema: { type: "object", properties: { letter: { enum: ["a", "b"] } }, required: ["letter"] },
  };
  const request = ask("go", { model: nonsense, tools: [choice], toolChoice: "required", maxTokens: 120 });
  const { toolCalls } = await generate(provider, request);
  expect(toolCalls.length).toBeGreaterThan(1);
  expect(new Set(toolCalls.map(({ id }) => id)).size).toBe(toolCalls.length);
  expect([{ letter: "a" }, { letter: "b" }]).toContainEqual(toolCalls[0]?.input);
});

test("a result goes back to the model, and the answer goes on from it", async () => {
  const first = await generate(provider, ask("weather"));
  const [call] = first.toolCalls;
  if (call === undefined) throw new Error("no call");
  const answer = await generate(
    provider,
    ask("", {
      messages: [
        { role: "user", content: "weather" },
        first.message,
        {
          role: "tool",
          content: [{ type: "tool-result", id: call.id, name: call.name, output: { sky: "grey" } }],
        },
      ],
    }),
  );
  expect(answer).toMatchObject({ text: "It rains.", finishReason: { unified: "stop" } });
  expect(answer.usage.cachedInputTokens).toBeGreaterThan(50);
});

test("a call whose result is missing, and a result without its call, are refused", async () => {
  const call = { type: "tool-call", id: "1", name: "get_weather", input: { city: "Bonn" } } as const;
  const messages: ChatRequest["messages"] = [
    { role: "user", content: "weather" },
    { role: "assistant", content: [call] },
    { role: "user", content: "well?" },
  ];
  await expect(generate(provider, ask("", { messages }))).rejects.toMatchObject({ code: "invalid-request" });
  const stray: ChatRequest["messages"] = [
    { role: "user", content: "weather" },
    { role: "tool", content: [{ type: "tool-result", id: "9", name: "x", output: 1 }] },
  ];
  await expect(generate(provider, ask("", { messages: stray }))).rejects.toMatchObject({
    code: "invalid-request",
  });
});

test("a tool without arguments is called with an empty object, whatever its name", async () => {
  const odd = [{ name: "time.now-in_UTC", description: "The time" }];
  const { toolCalls } = await generate(provider, ask("clock", { tools: odd }));
  expect(toolCalls).toMatchObject([{ name: "time.now-in_UTC", input: {} }]);
});

test("toolChoice none leaves the tools out of the prompt", async () => {
  const without = await generate(provider, ask("hello", { tools: undefined }));
  const none = await generate(provider, ask("hello", { toolChoice: "none" }));
  expect(none.usage.inputTokens).toBe(without.usage.inputTokens);
  const auto = await generate(provider, ask("hello"));
  expect(auto.usage.inputTokens).toBeGreaterThan((none.usage.inputTokens ?? 0) + 50);
});

test("toolChoice required makes the answer begin with a call", async () => {
  const { toolCalls, text: said } = await generate(
    provider,
    ask("hello", { toolChoice: "required", maxTokens: 60 }),
  );
  expect(said).toBe("");
  expect(tools.map(({ name }) => name)).toContain(toolCalls[0]?.name);
});

test("a named tool is the one that is called", async () => {
  const { toolCalls } = await generate(
    provider,
    ask("weather", { toolChoice: { name: "get_time" }, maxTokens: 60 }),
  );
  expect(toolCalls[0]?.name).toBe("get_time");
  const unknown = generate(provider, ask("weather", { toolChoice: { name: "nothing" } }));
  await expect(unknown).rejects.toMatchObject({ code: "invalid-request" });
});

test("a call that the limit cuts keeps its text, says why it has no input, and ends with length", async () => {
  const wordy = models.random("wordy");
  const request = ask("go", { model: wordy, toolChoice: { name: "get_time" }, maxTokens: 12 });
  const { toolCalls, finishReason } = await generate(provider, request);
  expect(finishReason.unified).toBe("length");
  expect(toolCalls).toHaveLength(1);
  expect(toolCalls[0]).toMatchObject({ name: "get_time", inputError: expect.stringContaining("limit") });
  expect(toolCalls[0]?.inputText).toMatch(/^\{/);
  expect(toolCalls[0]?.input).toBeUndefined();
});

test("tools and a schema at once are refused, or the schema is left out with a warning", async () => {
  const both = ask("weather", {
    responseFormat: { type: "json", schema: { type: "object", properties: {} } },
  });
  await expect(generate(provider, both)).rejects.toMatchObject({ code: "unsupported" });
  const answer = await generate(provider, { ...both, unsupported: "warn" });
  expect(answer.warnings).toMatchObject([{ option: "responseFormat" }]);
  expect(answer.toolCalls).toHaveLength(1);
});
