import { platform } from "node:os";

import { type ChatRequest, generate, type Message } from "@enginehouse/llm-core";
import { findModel, present } from "@enginehouse/vitest-preset/live";
import { expect, test } from "vitest";

import { createModelFolder } from "../model-folder.ts";
import { enginesOf, processorTime } from "../processes.ts";

const found = findModel("SmolLM2-135M-Instruct.Q4_1.gguf");
const models = createModelFolder();
const provider = models.provider({ allowPaths: true });
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const question: readonly Message[] = [{ role: "user", content: "What is the capital of France?" }];

test("a real model answers a question, and a second turn reads only what is new", async (context) => {
  const model = present(context, found);
  const one = await generate(provider, { model, messages: question, maxTokens: 24 });
  expect(one.text).toContain("Paris");
  expect(one.context).toMatchObject({ window: 8192, truncated: "no" });
  const messages: Message[] = [
    ...question,
    { role: "assistant", content: one.text },
    { role: "user", content: "And of Spain?" },
  ];
  const two = await generate(provider, { model, messages, maxTokens: 8 });
  expect((two.usage.inputTokens ?? 0) - (two.usage.cachedInputTokens ?? 0)).toBeLessThan(30);
});

test("its output obeys a schema", async (context) => {
  const model = present(context, found);
  const schema = {
    type: "object",
    properties: { city: { type: "string", maxLength: 20 }, inhabitants: { type: "integer" } },
    required: ["city", "inhabitants"],
    additionalProperties: false,
  } as const;
  const messages: Message[] = [
    { role: "user", content: "Name the capital of France and its number of inhabitants, as JSON." },
  ];
  const answer = await generate(provider, {
    model,
    messages,
    responseFormat: { type: "json", schema },
    maxTokens: 80,
  });
  expect(answer.output).toMatchObject({ city: expect.any(String), inhabitants: expect.any(Number) });
});

test(
  "an abort while it reads a long prompt leaves the processor idle within 250 ms",
  { skip: platform() !== "linux" },
  async (context) => {
    const model = present(context, found);
    const long: ChatRequest = {
      model,
      messages: [{ role: "user", content: "All of the words of a long text. ".repeat(500) }],
    };
    const abort = new AbortController();
    let abortedAt = 0;
    const call = (async () => {
      for await (const event of provider.stream(long, { signal: abort.signal })) {
        if (event.type !== "status" || event.status !== "prefill" || abortedAt > 0) continue;
        abortedAt = performance.now();
        abort.abort();
      }
    })();
    await expect(call).rejects.toMatchObject({ code: "aborted" });
    expect(performance.now() - abortedAt).toBeLessThan(250);
    const [engine = 0] = enginesOf();
    await pause(250);
    const before = processorTime(engine);
    await pause(500);
    expect(processorTime(engine) - before).toBeLessThan(100);
  },
);

test("a prompt beyond the window is refused with its figures", async (context) => {
  const model = present(context, found);
  const messages: Message[] = [{ role: "user", content: "word ".repeat(9_000) }];
  await expect(generate(provider, { model, messages })).rejects.toMatchObject({
    code: "context-overflow",
    figures: { window: 8192 },
  });
});
