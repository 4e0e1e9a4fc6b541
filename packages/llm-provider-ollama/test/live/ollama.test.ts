import { collect, generate } from "@enginehouse/llm-core";
import { describe, expect, test } from "vitest";

import { createOllama } from "../../src/index.ts";

const url = process.env["ENGINEHOUSE_LIVE_OLLAMA_URL"];
const model = process.env["ENGINEHOUSE_LIVE_OLLAMA_MODEL"];
const embedder = process.env["ENGINEHOUSE_LIVE_OLLAMA_EMBEDDING_MODEL"];

/** Shapes alone: what a model says is its own affair. */
describe("a real Ollama server", () => {
  test("is healthy, lists the model, describes and loads it", { timeout: 300_000 }, async (context) => {
    if (url === undefined) return context.skip("ENGINEHOUSE_LIVE_OLLAMA_URL names no server");
    if (model === undefined) return context.skip("ENGINEHOUSE_LIVE_OLLAMA_MODEL names no model");
    const ollama = createOllama({ baseUrl: url });
    expect(await ollama.health()).toMatchObject({ status: "ok", version: expect.any(String) });
    expect((await ollama.listModels()).some(({ id }) => id === model || id === `${model}:latest`)).toBe(true);
    expect((await ollama.describeModel(model)).contextWindow).toBeGreaterThan(0);
    expect((await ollama.loadModel({ model })).contextWindow).toBeGreaterThan(0);
    await ollama.close();
  });

  test(
    "streams an answer, stops when it is left, and refuses what does not fit",
    { timeout: 300_000 },
    async (context) => {
      if (url === undefined || model === undefined)
        return context.skip(
          "ENGINEHOUSE_LIVE_OLLAMA_URL and ENGINEHOUSE_LIVE_OLLAMA_MODEL name no server and model",
        );
      const ollama = createOllama({ baseUrl: url, contextWindow: 512 });
      const messages = [{ role: "user", content: "Say hello." }] as const;
      const answer = await collect(
        ollama.stream({ model, messages, maxTokens: 64, temperature: 0, seed: 1 }),
      );
      expect(answer.usage.outputTokens).toBeGreaterThan(0);
      expect(["stop", "length"]).toContain(answer.finishReason.unified);
      const left = performance.now();
      for await (const event of ollama.stream({ model, messages, maxTokens: 400 }))
        if (event.type.endsWith("delta")) break;
      expect(performance.now() - left).toBeLessThan(60_000);
      const long = [{ role: "user", content: "all the words ".repeat(2_000) }] as const;
      await expect(generate(ollama, { model, messages: long })).rejects.toMatchObject({
        code: "context-overflow",
      });
      await ollama.close();
    },
  );

  test("embeds texts into vectors of length 1", { timeout: 300_000 }, async (context) => {
    if (url === undefined || embedder === undefined)
      return context.skip("ENGINEHOUSE_LIVE_OLLAMA_URL and _EMBEDDING_MODEL name no server and embedder");
    const ollama = createOllama({ baseUrl: url });
    const { vectors } = await ollama.embed({ model: embedder, texts: ["one", "two", "", "one"] });
    expect(vectors).toHaveLength(4);
    for (const vector of vectors) expect(Math.hypot(...vector)).toBeCloseTo(1, 2);
    await ollama.close();
  });
});
