import type { ChatEvent, ChatRequest } from "@enginehouse/llm-core";
import { describe, expect, test } from "vitest";

import { createDecoder } from "../src/decode.ts";
import type { ChatOutcome, EngineEvent } from "../src/wire.ts";

const outcome: ChatOutcome = {
  stop: "eogToken",
  promptTokens: 9,
  cachedTokens: 4,
  outputTokens: 3,
  thoughtTokens: 1,
  window: 64,
  timings: { queue: 0, load: 5, prompt: 2, generation: 3 },
};

function decode(
  events: readonly EngineEvent[],
  more: Partial<ChatRequest> = {},
  schema?: unknown,
): ChatEvent[] {
  const request: ChatRequest = { model: "m", messages: [], ...more };
  let ids = 0;
  const decoder = createDecoder({ request, warnings: [], newCallId: () => `id${(ids += 1)}`, schema });
  return events.flatMap((event) => decoder.add([event]));
}
const typesOf = (events: readonly ChatEvent[]): string[] => events.map(({ type }) => type);
const ready: EngineEvent = { kind: "ready", lacks: [] };
const end = (stop: string): EngineEvent => ({ kind: "end", outcome: { ...outcome, stop } });

test("status comes after the start, which comes at once", () => {
  expect(typesOf(decode([{ kind: "status", status: "loading", progress: 0.5 }, ready]))).toEqual([
    "start",
    "status",
  ]);
});

test("the start waits for the model where core may send a shorter prompt", () => {
  const events = decode([{ kind: "status", status: "loading" }, ready], { overflow: "drop-oldest" });
  expect(typesOf(events)).toEqual(["start"]);
});

test("a block ends when the other kind begins, and ids are not used twice", () => {
  const events = decode([
    ready,
    { kind: "thought", text: "a" },
    { kind: "text", text: "b" },
    { kind: "thought", text: "c" },
    end("eogToken"),
  ]);
  const starts = events.flatMap((event) =>
    event.type === "text-start" || event.type === "reasoning-start" ? [event.id] : [],
  );
  expect(new Set(starts).size).toBe(3);
  expect(typesOf(events).filter((type) => type.endsWith("-end"))).toEqual([
    "reasoning-end",
    "text-end",
    "reasoning-end",
  ]);
});

test.each([
  ["eogToken", "stop"],
  ["stopGenerationTrigger", "stop"],
  ["customStopTrigger", "stop"],
  ["functionCalls", "tool-calls"],
  ["maxTokens", "length"],
  ["contextWindow", "length"],
  ["somethingNew", "other"],
])("%s means %s, and keeps its word", (raw, unified) => {
  expect(decode([ready, end(raw)]).at(-1)).toMatchObject({ type: "finish", reason: { unified, raw } });
});

test("figures arrive as the engine counted them", () => {
  expect(decode([ready, end("eogToken")]).at(-1)).toEqual({
    type: "finish",
    reason: { unified: "stop", raw: "eogToken" },
    usage: { inputTokens: 9, outputTokens: 3, cachedInputTokens: 4, reasoningTokens: 1 },
    context: { window: 64, promptTokens: 9, truncated: "no" },
    timings: { queueMs: 0, loadMs: 5, promptMs: 2, generationMs: 3 },
  });
});

describe("a call", () => {
  const call = (text: string): EngineEvent => ({ kind: "call-text", index: 0, name: "t", text });
  const done: EngineEvent = { kind: "call-end", index: 0, name: "t" };
  const inputOf = (events: readonly ChatEvent[]) => events.find((event) => event.type === "tool-call");

  test("loses the line breaks of its grammar, and no other", () => {
    const events = decode([
      ready,
      call('{"a":'),
      call("\n"),
      call("1}\n"),
      call("\n\n"),
      done,
      end("functionCalls"),
    ]);
    expect(inputOf(events)).toMatchObject({ inputText: '{"a":\n1}', input: { a: 1 } });
    const pieces = events.flatMap((event) => (event.type === "tool-input-delta" ? [event.text] : []));
    expect(pieces.join("")).toBe('{"a":\n1}');
  });

  test("without text is a call with {}", () => {
    expect(inputOf(decode([ready, done, end("functionCalls")]))).toMatchObject({ inputText: "", input: {} });
  });

  test("that breaks its tool's schema says where", () => {
    const tools = [
      { name: "t", inputSchema: { type: "object", properties: { a: { type: "integer", maximum: 3 } } } },
    ] as const;
    const broken = inputOf(decode([ready, call('{"a":7}'), done, end("functionCalls")], { tools }));
    expect(broken).toMatchObject({ inputError: expect.stringContaining("/a") });
  });
});

test("output that breaks its schema is a fault with all of it, after the events that led to it", () => {
  const request: ChatRequest = { model: "m", messages: [] };
  const schema = { type: "integer", maximum: 7 };
  const decoder = createDecoder({ request, warnings: [], newCallId: () => "id", schema });
  const events = decoder.add([ready, { kind: "text", text: "8" }, end("eogToken")]);
  expect(typesOf(events)).toEqual(["start", "text-start", "text-delta", "text-end"]);
  expect(decoder.fault()).toMatchObject({
    code: "output-invalid",
    partial: { text: "8", usage: { inputTokens: 9, outputTokens: 3 } },
  });
});

test("what the model lacks is a fault, or a warning in the start", () => {
  const lacking: EngineEvent = { kind: "ready", lacks: ["reasoning"] };
  expect(() => decode([lacking], { reasoning: "high" })).toThrow(/no thoughts/);
  expect(decode([lacking], { reasoning: "high", unsupported: "warn" })[0]).toMatchObject({
    warnings: [{ code: "unsupported", option: "reasoning" }],
  });
});
