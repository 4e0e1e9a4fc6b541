import { mkdtemp, rm } from "node:fs/promises";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { createLlamacpp } from "@enginehouse/llm-provider-llamacpp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { makePdf } from "../eval/make-pdf.ts";
import type { Embedder } from "../src/embedder.ts";
import { type Figures, measure, readEvaluationSet } from "../src/eval/measure.ts";
import { openStore } from "../src/store/open.ts";

const APPLICATION = new URL("../", import.meta.url);
const MODELS = fileURLToPath(
  new URL("../../../packages/llm-reference-model/models/embedder", import.meta.url),
);

test("the question set is about documents that are there, and each answer stands in its document", async () => {
  const { answerable, unanswerable, claims, heldOut, fresh, files } = await readEvaluationSet(APPLICATION);
  expect(answerable.length).toBeGreaterThanOrEqual(40);
  expect(unanswerable.length).toBeGreaterThanOrEqual(10);
  const texts = new Map<string, string>();
  for (const { id, file } of files) {
    const source = file.endsWith(".pdf")
      ? new URL("eval/garden-report.md", APPLICATION)
      : new URL(`examples/${file}`, APPLICATION);
    texts.set(id, (await readFile(source, "utf8")).replace(/\s+/g, " ").toLowerCase());
  }
  const wanted = [
    ...answerable.map(({ id, document, answers }) => ({ id, document, answers })),
    ...[...claims, ...heldOut, ...fresh].map(({ id, document, evidence = [] }) => ({
      id,
      document,
      answers: evidence,
    })),
  ];
  const lost = wanted.flatMap(({ id, document, answers }) =>
    answers
      .filter((answer) => texts.get(document)?.includes(answer.toLowerCase()) !== true)
      .map((answer) => `${id}: ${answer}`),
  );
  expect(lost).toEqual([]);
});

test("the example PDF is what its script makes of its source", async () => {
  const source = await readFile(new URL("eval/garden-report.md", APPLICATION), "utf8");
  expect(
    Buffer.compare(await readFile(new URL("examples/garden-report.pdf", APPLICATION)), makePdf(source)),
  ).toBe(0);
});

describe("with the bundled embedder", () => {
  const provider = createLlamacpp({ modelsDir: MODELS, threads: 1, isolation: "none" });
  let folder = "";
  let coarse: Figures;
  let fine: Figures;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "rag-eval-"));
    coarse = await measureWith(400);
    fine = await measureWith(100);
  }, 120_000);

  afterAll(async () => {
    await provider.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function measureWith(windowTokens: number): Promise<Figures> {
    const dataDir = join(folder, String(windowTokens));
    const store = await openStore({ path: join(dataDir, "enginehouse.db") });
    try {
      return await measure({ application: APPLICATION, store, dataDir, embedder, windowTokens });
    } finally {
      await store.close();
    }
  }

  const model = "reference-embedder-q8_0";
  const embedder: Embedder = {
    provider: "llamacpp",
    model,
    dimensions: 256,
    maxTokens: 510,
    async embed(texts, purpose, options) {
      if (provider.embed === undefined) throw new Error("it embeds");
      const { vectors } = await provider.embed({ model, texts: [...texts], purpose }, options);
      return vectors.map((vector) => Float32Array.from(vector));
    },
  };

  test("hybrid search is never worse than words alone", () => {
    for (const { retrieval } of [coarse, fine]) {
      const { lexical, hybrid } = retrieval;
      if (lexical === undefined || hybrid === undefined) throw new Error("both were measured");
      expect(hybrid.mrr).toBeGreaterThanOrEqual(lexical.mrr - 0.005);
      expect(hybrid.hit5).toBeGreaterThanOrEqual(lexical.hit5 - 0.005);
      expect(hybrid.mrr).toBeGreaterThan(0.9);
      expect(hybrid.hit5).toBeGreaterThanOrEqual(0.95);
    }
  });

  test("the answer is in the first quote of seven in ten questions, in the first five nearly always", () => {
    for (const { quotes, quotesWithEmbedder } of [coarse, fine]) {
      expect(quotes.first).toBeGreaterThanOrEqual(0.68);
      expect(quotes.five).toBeGreaterThanOrEqual(0.95);
      expect(quotesWithEmbedder?.first).toBeGreaterThanOrEqual(0.72);
      expect(quotesWithEmbedder?.three).toBeGreaterThanOrEqual(0.94);
    }
  });

  test("citations are right, and stand on the sentence that says it", () => {
    for (const { citations, heldOut, fresh } of [coarse, fine]) {
      expect(citations.precision).toBeGreaterThanOrEqual(0.93);
      expect(citations.recall).toBeGreaterThanOrEqual(0.93);
      expect(heldOut.precision).toBeGreaterThanOrEqual(0.75);
      expect(heldOut.recall).toBeGreaterThanOrEqual(0.9);
      expect(fresh.precision).toBeGreaterThanOrEqual(0.8);
      expect(fresh.recall).toBeGreaterThanOrEqual(0.9);
      for (const { place, strayed } of [citations, heldOut, fresh]) {
        expect(place).toBeGreaterThanOrEqual(0.93);
        expect(strayed).toBeLessThanOrEqual(0.06);
      }
    }
  });

  test("questions without an answer have fewer of their words in the documents", () => {
    expect(coarse.coverage.unanswerable).toBeLessThan(coarse.coverage.answerable - 0.15);
  });
});
