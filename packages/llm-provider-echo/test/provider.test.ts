import { type ChatEvent, type ChatRequest, collect, generate, isLlmError } from "@enginehouse/llm-core";
import { describe, expect, test } from "vitest";

import manifest from "../package.json" with { type: "json" };
import plugin, { createEcho } from "../src/index.ts";

const ask = (content: string, more: Partial<ChatRequest> = {}): ChatRequest => ({
  model: "echo",
  messages: [{ role: "user", content }],
  ...more,
});

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (fault: unknown) => fault,
  );
  return isLlmError(error) ? error.code : `no LlmError: ${String(error)}`;
}

test("the export says what the manifest says", () => {
  expect(plugin).toMatchObject({
    id: manifest.llmProvider.id,
    contract: manifest.llmProvider.contract,
    features: manifest.llmProvider.features,
  });
});

describe("chat", () => {
  test("repeats the user's words, with one start first and one finish last", async () => {
    const events: ChatEvent[] = [];
    for await (const event of createEcho().stream(ask("grüß  dich 👋 world"))) events.push(event);
    expect(events.map((event) => event.type)).toEqual([
      "start",
      "text-start",
      "text-delta",
      "text-delta",
      "text-delta",
      "text-delta",
      "text-end",
      "finish",
    ]);
    const text = events.map((event) => (event.type === "text-delta" ? event.text : "")).join("");
    expect(text).toBe("grüß  dich 👋 world");
  });

  test("says scripted replies in turn", async () => {
    const echo = createEcho({ replies: ["one", "two"] });
    const answers = [];
    for (let turn = 0; turn < 3; turn += 1) answers.push((await generate(echo, ask("x"))).text);
    expect(answers).toEqual(["one", "two", "one"]);
  });

  test("stops at a stop text, and at the limit with the reason length", async () => {
    expect(await generate(createEcho(), ask("one two three", { stop: ["three", "two"] }))).toMatchObject({
      text: "one ",
      finishReason: { unified: "stop" },
    });
    expect(await generate(createEcho(), ask("one two three", { maxTokens: 2 }))).toMatchObject({
      text: "one two",
      finishReason: { unified: "length" },
    });
  });

  test("refuses a prompt that does not fit, with figures", async () => {
    const answer = generate(createEcho({ contextWindow: 4 }), ask("more than sixteen characters"));
    await expect(answer).rejects.toMatchObject({
      code: "context-overflow",
      figures: { promptTokens: 7, window: 4 },
    });
  });

  test("thinks apart from its text when asked to", async () => {
    const response = await generate(createEcho(), ask("hello", { reasoning: "low" }));
    expect(response).toMatchObject({ text: "hello", reasoning: expect.stringContaining("words") });
    expect((await generate(createEcho(), ask("hello", { reasoning: "none" }))).reasoning).toBe("");
  });

  test("calls a tool that the user names, and answers after its result", async () => {
    const tools = [{ name: "look_up" }];
    const first = await generate(createEcho(), ask("please look_up the weather", { tools }));
    expect(first).toMatchObject({
      finishReason: { unified: "tool-calls" },
      toolCalls: [{ name: "look_up", input: { text: "please look_up the weather" } }],
    });
    const [call] = first.toolCalls;
    const second = await generate(createEcho(), {
      model: "echo",
      tools,
      messages: [
        { role: "user", content: "please look_up the weather" },
        first.message,
        {
          role: "tool",
          content: [{ type: "tool-result", id: call?.id ?? "", name: "look_up", output: "rain" }],
        },
      ],
    });
    expect(second).toMatchObject({ text: "rain", finishReason: { unified: "stop" } });
  });

  test("gives an object of the schema", async () => {
    const schema = { type: "object", properties: { name: { type: "string" }, age: { type: "integer" } } };
    const response = await generate(createEcho(), ask("Ada", { responseFormat: { type: "json", schema } }));
    expect(response.output).toEqual({ name: "Ada", age: 0 });
  });

  test("stops when aborted, and when the loop is left", async () => {
    const echo = createEcho({ delayMs: 5 });
    const controller = new AbortController();
    const answer = collect(echo.stream(ask("a ".repeat(1_000)), { signal: controller.signal }));
    setTimeout(() => controller.abort(), 20);
    expect(await codeOf(answer)).toBe("aborted");
    let seen = 0;
    for await (const event of echo.stream(ask("a ".repeat(1_000)))) {
      if (event.type === "text-delta") seen += 1;
      if (seen === 3) break;
    }
    expect(seen).toBe(3);
  });
});

test("an unknown model is model-not-found; a model for something else is unsupported", async () => {
  expect(await codeOf(generate(createEcho(), { ...ask("x"), model: "nope" }))).toBe("model-not-found");
  expect(await codeOf(generate(createEcho(), { ...ask("x"), model: "letters" }))).toBe("unsupported");
  expect(await codeOf(createEcho().describeModel("nope"))).toBe("model-not-found");
});

test("embeds in order, one vector of length 1 for each text, also for an empty one", async () => {
  const { vectors } = await createEcho().embed({ model: "letters", texts: ["ab", "", "b"] });
  expect(vectors).toHaveLength(3);
  for (const vector of vectors) expect(Math.hypot(...vector)).toBeCloseTo(1);
  expect(vectors[2]?.[1]).toBe(1);
  const long = createEcho({ contextWindow: 2 }).embed({ model: "letters", texts: ["a", "x".repeat(9)] });
  await expect(long).rejects.toMatchObject({
    code: "input-too-long",
    figures: { index: 1, tokens: 3, limit: 2 },
  });
});

test("counts as it limits", async () => {
  const counted = await createEcho().countTokens({
    model: "echo",
    messages: [{ role: "user", content: "12345678" }],
  });
  expect(counted).toMatchObject({ tokens: 2, window: 4_096 });
  expect((await createEcho().countTokens({ model: "letters", texts: ["1234", "12345"] })).perText).toEqual([
    1, 2,
  ]);
});

test("unknown settings are refused with their name", async () => {
  const echo = createEcho({ windw: 3 } as never);
  await expect(generate(echo, ask("x"))).rejects.toThrow(/windw/);
});

test("thoughts count among the tokens of the answer, also where they leave no room for it", async () => {
  const messages = [{ role: "user", content: "one two three" }] as const;
  for (const [settings, maxTokens] of [
    [{}, 3],
    [{ contextWindow: 5 }, undefined],
  ] as const) {
    const answer = await generate(createEcho(settings), {
      model: "echo",
      messages,
      maxTokens,
      reasoning: "low",
    });
    expect(answer).toMatchObject({ text: "", finishReason: { unified: "length" } });
  }
});
