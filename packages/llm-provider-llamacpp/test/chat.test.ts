import { type ChatEvent, type ChatRequest, collect, generate, type Message } from "@enginehouse/llm-core";
import { describe, expect, test } from "vitest";

import { createModelFolder } from "./model-folder.ts";

const models = createModelFolder();
const talker = models.scripted("talker", [
  { say: "Good morning, I am fine." },
  { when: "think", think: "Let me see.", say: "Seven." },
  { when: "on and on", say: "la ", forever: true },
  { when: "unicode", say: "Grüße 👋 日本" },
]);
const small = models.scripted("small", [{ say: "yes ", forever: true }], { contextWindow: 256 });
const nonsense = models.random("nonsense");
const provider = models.provider();

const ask = (content: string, more: Partial<ChatRequest> = {}): ChatRequest => ({
  model: talker,
  messages: [{ role: "user", content }],
  ...more,
});

async function eventsOf(request: ChatRequest): Promise<ChatEvent[]> {
  const events: ChatEvent[] = [];
  for await (const event of provider.stream(request)) events.push(event);
  return events;
}

test("an answer comes word for word, with its figures", async () => {
  const answer = await generate(provider, ask("hello"));
  expect(answer.text).toBe("Good morning, I am fine.");
  expect(answer.finishReason).toEqual({ unified: "stop", raw: "eogToken" });
  expect(answer.context).toMatchObject({ window: 2048, truncated: "no" });
  expect(answer.usage.inputTokens).toBe(answer.context.promptTokens);
  expect(answer.usage.outputTokens).toBeGreaterThan(0);
});

test("a stream starts once, closes what it opens, and finishes once", async () => {
  const events = await eventsOf(ask("think"));
  const types = events
    .filter(({ type }) => type !== "status" && !type.endsWith("-delta"))
    .map(({ type }) => type);
  expect(types).toEqual(["start", "reasoning-start", "reasoning-end", "text-start", "text-end", "finish"]);
});

test("thoughts come apart from the answer, and are counted", async () => {
  const answer = await generate(provider, ask("think"));
  expect(answer).toMatchObject({ reasoning: "Let me see.", text: "Seven." });
  expect(answer.usage.reasoningTokens).toBeGreaterThan(0);
});

test("a model asked not to think answers at once", async () => {
  const answer = await generate(provider, ask("think", { reasoning: "none" }));
  expect(answer.reasoning).toBe("");
  expect(answer.text).not.toContain("think>");
});

test("a wish to think is refused for a model without thoughts, or said to be left out", async () => {
  const plain = models.scripted("plain", [{ say: "ok" }], {
    template:
      "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
  });
  const request = ask("x", { model: plain, reasoning: "low" });
  await expect(generate(provider, request)).rejects.toMatchObject({ code: "unsupported" });
  const [start] = await eventsOf({ ...request, unsupported: "warn" });
  expect(start).toMatchObject({ type: "start", warnings: [{ code: "unsupported", option: "reasoning" }] });
});

test("characters of several tokens arrive whole", async () => {
  const events = await eventsOf(ask("unicode"));
  const pieces = events.flatMap((event) => (event.type === "text-delta" ? [event.text] : []));
  expect(pieces.join("")).toBe("Grüße 👋 日本");
  expect(pieces.some((piece) => piece.includes("\uFFFD"))).toBe(false);
});

test("a stop text ends the answer and is not part of it", async () => {
  const answer = await generate(provider, ask("hello", { stop: [" I am"] }));
  expect(answer.text).toBe("Good morning,");
  expect(answer.finishReason).toEqual({ unified: "stop", raw: "customStopTrigger" });
});

test("maxTokens ends the answer with length", async () => {
  const answer = await generate(provider, ask("on and on", { maxTokens: 12 }));
  expect(answer.finishReason).toEqual({ unified: "length", raw: "maxTokens" });
  expect(answer.usage.outputTokens).toBe(12);
});

describe("the window", () => {
  test("a full window ends the answer with length, never with a shift", async () => {
    const answer = await generate(provider, ask("go", { model: small }));
    const { usage, finishReason, context } = answer;
    expect(finishReason.unified).toBe("length");
    expect((usage.inputTokens ?? 0) + (usage.outputTokens ?? 0)).toBeLessThanOrEqual(256);
    expect((usage.inputTokens ?? 0) + (usage.outputTokens ?? 0)).toBeGreaterThan(250);
    expect(context).toMatchObject({ window: 256, truncated: "no" });
  });

  test("a prompt that does not fit is refused with its figures, before anything is generated", async () => {
    const fault = await generate(provider, ask("word ".repeat(400), { model: small })).catch(
      (error: unknown) => error,
    );
    expect(fault).toMatchObject({
      code: "context-overflow",
      figures: { window: 256 },
      provider: "llamacpp",
      model: small,
    });
    expect((fault as { figures: { promptTokens: number } }).figures.promptTokens).toBeGreaterThan(256);
  });

  test("drop-oldest leaves out whole turns and says so in the only start", async () => {
    const messages: Message[] = [
      { role: "system", content: "Be brief." },
      { role: "user", content: "old ".repeat(60) },
      { role: "assistant", content: "fine" },
      { role: "user", content: "now?" },
    ];
    const events = await eventsOf({ model: small, messages, overflow: "drop-oldest", maxTokens: 4 });
    const starts = events.filter((event) => event.type === "start");
    expect(starts).toHaveLength(1);
    expect(starts[0]?.warnings).toMatchObject([{ code: "dropped" }]);
  });
});

describe("sampling", () => {
  const free = (more: Partial<ChatRequest>): ChatRequest =>
    ask("tell me", { model: nonsense, temperature: 1.5, topK: 0, topP: 1, maxTokens: 24, ...more });
  const textOf = async (request: ChatRequest): Promise<string> => (await generate(provider, request)).text;

  test("a seed repeats an answer, another seed gives another", async () => {
    const [first, again, other] = [
      await textOf(free({ seed: 7 })),
      await textOf(free({ seed: 7 })),
      await textOf(free({ seed: 8 })),
    ];
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  test("without a temperature the likeliest token wins", async () => {
    const greedy = ask("tell me", { model: nonsense, maxTokens: 24 });
    expect(await textOf(greedy)).toBe(await textOf({ ...greedy, seed: 99 }));
  });

  test("repetition is punished only when asked for", async () => {
    const looping = ask("on and on", { maxTokens: 40 });
    const plain = await generate(provider, looping);
    expect(plain.text).toMatch(/^(la )+l?a?$/);
    const punished = await generate(provider, {
      ...looping,
      repeatPenalty: 2,
      frequencyPenalty: 1,
      presencePenalty: 1,
    });
    expect(punished.text).not.toBe(plain.text);
  });
});

describe("the cache", () => {
  test("a second turn reads only what is new", async () => {
    const first: Message[] = [
      { role: "system", content: "You are kind. ".repeat(20) },
      { role: "user", content: "hello" },
    ];
    const one = await generate(provider, ask("", { messages: first }));
    const two = await generate(
      provider,
      ask("", {
        messages: [
          ...first,
          { role: "assistant", content: one.text },
          { role: "user", content: "hello again" },
        ],
      }),
    );
    const fresh = (two.usage.inputTokens ?? 0) - (two.usage.cachedInputTokens ?? 0);
    expect(two.usage.cachedInputTokens).toBeGreaterThanOrEqual(one.usage.inputTokens ?? Infinity);
    expect(fresh).toBeLessThan(40);
  });

  test("two conversations in turn keep their own caches", async () => {
    const turn = async (
      topic: string,
      before: Message[],
    ): Promise<{ messages: Message[]; cached: number; prompt: number }> => {
      const messages: Message[] = [...before, { role: "user", content: `${topic} `.repeat(30) }];
      const answer = await generate(provider, ask("", { messages }));
      const { cachedInputTokens = 0, inputTokens = 0 } = answer.usage;
      return {
        messages: [...messages, { role: "assistant", content: answer.text }],
        cached: cachedInputTokens,
        prompt: inputTokens,
      };
    };
    const [a, b] = [await turn("apples", []), await turn("bicycles", [])];
    const [moreA, moreB] = [await turn("apples", a.messages), await turn("bicycles", b.messages)];
    expect(moreA.cached).toBeGreaterThanOrEqual(a.prompt);
    expect(moreB.cached).toBeGreaterThanOrEqual(b.prompt);
  });
});

describe("at the same time", () => {
  test("four chats of one model are all answered, and those beyond the limit wait", async () => {
    const requests = Array.from({ length: 4 }, () => ask("on and on", { maxTokens: 200 }));
    const all = await Promise.all(requests.map(eventsOf));
    const texts = all.map((events) =>
      events.flatMap((event) => (event.type === "text-delta" ? [event.text] : [])).join(""),
    );
    expect(new Set(texts).size).toBe(1);
    const queued = all.filter((events) =>
      events.some((event) => event.type === "status" && event.status === "queued"),
    );
    expect(queued).toHaveLength(2);
  });
});

test("raw events are the engine's own, and come only when asked for", async () => {
  expect((await eventsOf(ask("hello"))).some((event) => event.type === "raw")).toBe(false);
  const raw = (await eventsOf(ask("hello", { includeRaw: true }))).filter((event) => event.type === "raw");
  expect(raw.at(-1)).toMatchObject({ value: { kind: "end" } });
});

test("deltas add up to the collected answer", async () => {
  const answer = await collect(provider.stream(ask("think")));
  expect(answer.text).toBe("Seven.");
});

test("a model that embeds does not chat", async () => {
  const embedder = models.embedder("words");
  await expect(generate(provider, ask("x", { model: embedder }))).rejects.toMatchObject({
    code: "unsupported",
  });
});

test("deadlines hold: a total that passes ends the call as timeout", async () => {
  const call = generate(provider, ask("on and on"), { timeouts: { total: 30 } });
  await expect(call).rejects.toMatchObject({ code: "timeout", retryable: true });
});
