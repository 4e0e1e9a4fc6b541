import { findModel, present } from "@enginehouse/vitest-preset/live";
import { expect, test } from "vitest";

import { createModelFolder } from "../model-folder.ts";

const found = findModel("all-MiniLM-L6-v2-q8_0.gguf");
const models = createModelFolder();
const provider = models.provider({ allowPaths: true });
const dot = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);

test("texts that mean the same are near each other", async (context) => {
  const model = present(context, found);
  const texts = [
    "How do I reset my password?",
    "I forgot my login and need a new one.",
    "The cake needs two eggs.",
  ];
  const { vectors } = await provider.embed({ model, texts });
  const [reset, forgot, cake] = vectors as [Float32Array, Float32Array, Float32Array];
  expect(reset).toHaveLength(384);
  expect(dot(reset, reset)).toBeCloseTo(1, 4);
  expect(dot(reset, forgot)).toBeGreaterThan(dot(reset, cake) + 0.3);
});

test("an empty text has a vector, too, and a long one is refused with its length", async (context) => {
  const model = present(context, found);
  expect((await provider.embed({ model, texts: ["", "x"] })).vectors).toHaveLength(2);
  await expect(provider.embed({ model, texts: ["word ".repeat(600)] })).rejects.toMatchObject({
    code: "input-too-long",
    figures: { index: 0, tokens: 602, limit: 511 },
  });
});
