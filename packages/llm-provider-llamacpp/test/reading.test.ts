import { expect, test } from "vitest";

import { createEngine } from "../src/engine/engine.ts";
import { engineOptions } from "../src/settings.ts";
import { createModelFolder } from "./model-folder.ts";

const models = createModelFolder();
const words = ["cat", "dog", "rain", "sun", "the", "sleeps"];
const embedder = models.embedder("embedder", { words, contextWindow: 128 });
const reranker = models.reranker("reranker", { scores: { good: 1, bad: -1 } });
const talker = models.scripted("talker", [{ say: "yes" }], { contextWindow: 512 });
const provider = models.provider();

const norm = (vector: Float32Array): number => Math.hypot(...vector);
const dot = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);

test("each text has its vector, of length 1, in order", async () => {
  const texts = ["the cat sleeps", "rain", "the dog sleeps", "rain"];
  const { vectors, usage } = await provider.embed({ model: embedder, texts });
  expect(vectors).toHaveLength(4);
  for (const vector of vectors) expect(norm(vector)).toBeCloseTo(1, 5);
  const [cat, rain, dog, again] = vectors as [Float32Array, Float32Array, Float32Array, Float32Array];
  expect(dot(rain, again)).toBeCloseTo(1, 5);
  expect(dot(cat, dog)).toBeGreaterThan(dot(cat, rain) + 0.2);
  // Three words and two marks, or one word and two marks.
  expect(usage.inputTokens).toBe(5 + 3 + 5 + 3);
});

test("an empty list asks nothing, and an empty text never shortens the list", async () => {
  expect((await provider.embed({ model: embedder, texts: [] })).vectors).toEqual([]);
  // This one has no vector for nothing; the reference embedder, below, has one.
  const call = provider.embed({ model: embedder, texts: ["cat", ""] });
  await expect(call).rejects.toMatchObject({ code: "invalid-request", figures: { index: 1 } });
});

test("a text that is too long is refused by its place, its length and the limit", async () => {
  const call = provider.embed({ model: embedder, texts: ["cat", "dog ".repeat(300)] });
  await expect(call).rejects.toMatchObject({
    code: "input-too-long",
    figures: { index: 1, tokens: 302, limit: 127 },
  });
});

test("a text up to the limit is read whole: its last word counts as much as its first", async () => {
  const long = "cat ".repeat(120);
  const { vectors } = await provider.embed({ model: embedder, texts: [`${long} rain`, `rain ${long}`] });
  expect(dot(...(vectors as [Float32Array, Float32Array]))).toBeCloseTo(1, 3);
});

test("a prefix from the settings is put before the text, by purpose", async () => {
  const prefixed = models.provider({ prefixes: { [embedder]: { query: "sun " } } });
  const [query] = (await prefixed.embed({ model: embedder, texts: ["rain"], purpose: "query" })).vectors;
  const [document] = (await prefixed.embed({ model: embedder, texts: ["rain"], purpose: "document" }))
    .vectors;
  const [both, alone] = (await provider.embed({ model: embedder, texts: ["sun rain", "rain"] })).vectors;
  if (!query || !document || !both || !alone) throw new Error("a vector is missing");
  expect(dot(query, both)).toBeCloseTo(1, 5);
  expect(dot(document, alone)).toBeCloseTo(1, 5);
});

test("documents are scored in the order given", async () => {
  const { scores } = await provider.rerank({
    model: reranker,
    query: "x",
    documents: ["bad bad", "good good", "x"],
  });
  const [bad = 0, good = 0, neutral = 0] = scores;
  expect(scores).toHaveLength(3);
  expect(good).toBeGreaterThan(neutral);
  expect(neutral).toBeGreaterThan(bad);
});

test("a model without a ranking head does not rerank", async () => {
  const call = provider.rerank({ model: talker, query: "x", documents: ["y"] });
  await expect(call).rejects.toMatchObject({ code: "unsupported" });
});

test("messages are counted as the template writes them", async () => {
  const one = await provider.countTokens({ model: talker, messages: [{ role: "user", content: "abc" }] });
  const two = await provider.countTokens({ model: talker, messages: [{ role: "user", content: "abcdef" }] });
  expect(two.tokens - one.tokens).toBe(3);
  expect(one.window).toBe(512);
});

test("counting and ranking a long list leave room for others, so that an abort is heard", async () => {
  const engine = createEngine(engineOptions({ threads: 1, gpu: false }));
  const of = (id: string) => ({ id, path: `${models.folder}/${id}.gguf` });
  const long = Array.from({ length: 20_000 }, (_, index) => `good and bad ${index} `.repeat(10));
  for (const id of [talker, reranker])
    await engine.ask("load", { model: of(id) }, new AbortController().signal);
  const abortSoon = (): AbortSignal => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(new Error("enough")), 50);
    return abort.signal;
  };
  const count = engine.ask("count", { model: of(talker), texts: long }, abortSoon());
  await expect(count).rejects.toThrow("enough");
  // The last one is too long, which is known only once all lengths are.
  const documents = [...long, "good ".repeat(5_000)];
  const rank = engine.ask("rerank", { model: of(reranker), query: "x", documents }, abortSoon());
  await expect(rank).rejects.toThrow("enough");
  await engine.close();
});

test("texts are counted one by one, as an embedder reads them", async () => {
  const counted = await provider.countTokens({ model: embedder, texts: ["cat", "the cat"] });
  expect(counted).toMatchObject({ tokens: 7, perText: [3, 4], window: 128 });
});
