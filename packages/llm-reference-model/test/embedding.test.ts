import { writeEmbedderGguf, writeRerankerGguf } from "@enginehouse/llm-reference-model/scripted";
import type { Llama } from "node-llama-cpp";
import { beforeAll, describe, expect, test } from "vitest";

import { cosine, engine, temporaryFolder } from "./engine.ts";

const file = temporaryFolder();
let llama: Llama;
beforeAll(async () => {
  llama = await engine();
});

describe("a scripted embedder, in the engine", () => {
  test("puts texts with common words near each other, and no others", async () => {
    const path = file("embedder.gguf");
    writeEmbedderGguf(path, { words: ["the", "cat", "sat", "slept", "stock", "market", "fell"] });
    const model = await llama.loadModel({ modelPath: path });
    const context = await model.createEmbeddingContext();
    const embed = async (text: string) => (await context.getEmbeddingFor(text)).vector;
    const [sat, slept, fell] = [
      await embed("The cat sat"),
      await embed("the cat slept"),
      await embed("stock market fell"),
    ];
    expect(sat).toHaveLength(128);
    expect(cosine(sat, slept)).toBeGreaterThan(0.5);
    expect(Math.abs(cosine(sat, fell))).toBeLessThan(0.35);
    expect(cosine(sat, await embed("sat the cat"))).toBeCloseTo(1, 5);
    expect(Math.hypot(...(await embed("an unknown word")))).toBeGreaterThan(0);
  });

  test("has the dimensions and the window it was asked for", async () => {
    const path = file("narrow.gguf");
    writeEmbedderGguf(path, { dimensions: 32, contextWindow: 64 });
    const model = await llama.loadModel({ modelPath: path });
    expect(model.trainContextSize).toBe(64);
    expect(model.embeddingVectorSize).toBe(32);
  });
});

describe("a scripted reranker, in the engine", () => {
  test("ranks texts by what their words are worth", async () => {
    const path = file("reranker.gguf");
    writeRerankerGguf(path, { scores: { paris: 1, france: 0.6, cheese: -0.8 } });
    const model = await llama.loadModel({ modelPath: path });
    const context = await model.createRankingContext();
    const ranked = await context.rankAndSort("question", [
      "cheese",
      "france",
      "something else",
      "paris france",
    ]);
    expect(ranked.map(({ document }) => document)).toEqual([
      "paris france",
      "france",
      "something else",
      "cheese",
    ]);
    expect(ranked.every(({ score }) => score > 0 && score < 1)).toBe(true);
  });

  test("refuses a score that it cannot give", () => {
    expect(() => writeRerankerGguf(file("refused.gguf"), { scores: { paris: 2 } })).toThrow(/from -1 to 1/);
  });
});
