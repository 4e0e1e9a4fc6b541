import type { LlmError } from "@enginehouse/llm-core";
import { describe, expect, test } from "vitest";

import { recording, say, setUp } from "./ollama-server.ts";

const model = "all-minilm";
const faultOf = (promise: Promise<unknown>): Promise<LlmError> =>
  promise.then(
    () => expect.unreachable("it should have failed"),
    (error: unknown) => error as LlmError,
  );
const lengthOf = (vector: Float32Array | undefined): number => Math.hypot(...(vector ?? []));

describe("embeddings", () => {
  test.each(["embed-many", "ollama-0.13/embed-many"])(
    "%s: one vector for each text, in order, of length 1",
    async (name) => {
      await using given = await setUp({ "POST /api/embed": name });
      const texts = ["A cat sits on the mat.", "Interest rates rose.", "A cat sits on the mat."];
      const { vectors, usage } = await given.ollama.embed({ model, texts });
      expect(vectors.map((vector) => vector.length)).toEqual([384, 384, 384]);
      expect(vectors[0]).toEqual(vectors[2]);
      for (const vector of vectors) expect(lengthOf(vector)).toBeCloseTo(1, 3);
      const { chunks } = recording(name).response;
      const said = JSON.parse(chunks.map(({ data }) => data).join("")) as { prompt_eval_count: number };
      expect(usage.inputTokens).toBe(said.prompt_eval_count);
      expect(given.server.of("/api/embed")[0]?.body).toEqual({ model, input: texts, truncate: false });
    },
  );

  test("an empty text goes in a list, where it gets a vector", async () => {
    await using given = await setUp({ "POST /api/embed": "embed-empty-in-list" });
    const { vectors } = await given.ollama.embed({ model, texts: ["A cat sits on the mat.", ""] });
    expect(vectors).toHaveLength(2);
  });

  test.each(["embed-empty-string", "ollama-0.13/embed-empty-string"])(
    "%s: a server that gives no vector for an empty text is told of, never a shorter list",
    async (name) => {
      await using given = await setUp({ "POST /api/embed": name });
      const fault = await faultOf(given.ollama.embed({ model, texts: [""] }));
      expect(fault).toMatchObject({ code: "invalid-request", hint: expect.any(String) });
    },
  );

  test("no texts are no request", async () => {
    await using given = await setUp({});
    expect(await given.ollama.embed({ model, texts: [] })).toMatchObject({ vectors: [] });
    expect(given.server.asked).toEqual([]);
  });

  test.each(["embed-too-long-error", "ollama-0.13/embed-too-long-error", "embed-too-long-in-list-error"])(
    "%s: a text that is too long is refused, never cut",
    async (name) => {
      await using given = await setUp({ "POST /api/embed": name });
      expect(await faultOf(given.ollama.embed({ model, texts: ["long"] }))).toMatchObject({
        code: "input-too-long",
      });
    },
  );

  test("a chat model embeds nothing; an unknown one is not found", async () => {
    await using given = await setUp({ "POST /api/embed": ["embed-with-chat-model", "embed-model-missing"] });
    expect(await faultOf(given.ollama.embed({ model, texts: ["a"] }))).toMatchObject({
      code: "unsupported",
      status: 501,
    });
    const missing = await faultOf(given.ollama.embed({ model, texts: ["a"] }));
    expect(missing).toMatchObject({ code: "model-not-found", hint: expect.stringContaining("ollama pull") });
  });

  test("many texts go in batches, and their vectors come in order", async () => {
    await using given = await setUp({
      "POST /api/embed": (asked, response) => {
        const embeddings = (asked.body.input as string[]).map((text) => [1, Number(text)]);
        say(response, [{ embeddings, prompt_eval_count: embeddings.length }]);
      },
    });
    const texts = Array.from({ length: 1_300 }, (_, index) => String(index));
    const { vectors, usage } = await given.ollama.embed({ model, texts });
    expect(vectors.map(([one = 0, other = 0]) => Math.round(other / one))).toEqual(texts.map(Number));
    expect(usage.inputTokens).toBe(1_300);
    expect(given.server.of("/api/embed").length).toBeGreaterThan(1);
    for (const vector of vectors) expect(lengthOf(vector)).toBeCloseTo(1, 3);
  });

  test.each([
    ["what is no number", { embeddings: [[1, null]] }],
    ["no list", { embeddings: "none" }],
    ["nothing", {}],
  ])("vectors that hold %s are a fault, not zeros", async (_, reply) => {
    await using given = await setUp({ "POST /api/embed": (_asked, response) => say(response, [reply]) });
    expect(await faultOf(given.ollama.embed({ model, texts: ["a"] }))).toMatchObject({
      code: "invalid-response",
    });
  });

  test("the words that a model was trained with are put before a text by its purpose", async () => {
    const prefixes = { [model]: { query: "query: ", document: "passage: " } };
    await using given = await setUp({ "POST /api/embed": "embed-one" }, { prefixes });
    for (const purpose of ["query", "document", undefined] as const)
      await given.ollama.embed({ model, texts: ["a"], purpose });
    expect(given.server.of("/api/embed").map(({ body }) => body.input)).toEqual([
      ["query: a"],
      ["passage: a"],
      ["a"],
    ]);
  });

  test("fewer dimensions can be asked for", async () => {
    await using given = await setUp({ "POST /api/embed": "embed-dimensions" });
    const providerOptions = { ollama: { dimensions: 32 } };
    const { vectors } = await given.ollama.embed({ model, texts: ["a"], providerOptions });
    expect(vectors[0]).toHaveLength(32);
    expect(given.server.of("/api/embed")[0]?.body.dimensions).toBe(32);
  });
});
