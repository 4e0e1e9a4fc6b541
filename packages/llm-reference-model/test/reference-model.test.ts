import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { referenceModels } from "@enginehouse/llm-reference-model";
import type { Llama, LlamaModel } from "node-llama-cpp";
import { beforeAll, describe, expect, test } from "vitest";

import { cosine, engine, startChat } from "./engine.ts";

interface GreedyAnswer {
  readonly skill: string;
  readonly prompt: string;
  readonly ids: readonly number[];
  /** What PyTorch answered to it, when the weights were made. */
  readonly answer: string;
  readonly ended: boolean;
}

const recorded: readonly GreedyAnswer[] = JSON.parse(
  readFileSync(new URL("fixtures/greedy-answers.json", import.meta.url), "utf8"),
);

let llama: Llama;
beforeAll(async () => {
  llama = await engine();
});

function load(id: string): Promise<LlamaModel> {
  const model = referenceModels.find((one) => one.id === id);
  if (model === undefined) throw new Error(`There is no ${id}.`);
  return llama.loadModel({ modelPath: fileURLToPath(model.url) });
}

describe("the chat model, in the engine", () => {
  test("reads the recorded prompts as the same tokens, and answers nearly all of them as recorded", async () => {
    const model = await load("reference-model");
    const sequence = (await model.createContext({ contextSize: 2048 })).getSequence();
    const end = model.tokenize("<|im_end|>", true)[0];
    let equal = 0;
    for (const { prompt, ids, answer, ended } of recorded) {
      const prompted = model.tokenize(prompt, true);
      expect([...prompted]).toEqual(ids);
      await sequence.clearHistory();
      const written = [];
      for await (const token of sequence.evaluate(prompted, { temperature: 0 })) {
        if (token === end || written.length === 300) break;
        written.push(token);
      }
      const text = model.detokenize(written, true);
      // An answer that was cut short when it was recorded is compared as far as it goes.
      if (ended ? text === answer : text.startsWith(answer.replace(/\ufffd+$/, ""))) equal++;
    }
    expect(recorded).toHaveLength(20);
    // 8-bit weights differ from those that were recorded by a rounding: 18 when they were made.
    expect(equal).toBeGreaterThanOrEqual(17);
  }, 120_000);

  test("quotes a passage with its number, and thinks when it is asked to", async () => {
    const chat = await startChat(await load("reference-model"));
    const passages = [
      "[1] The Velda router listens on port 8080.",
      "[2] Backups are kept for 30 days in the archive.",
    ].join("\n");
    const answer = await chat.ask(`Passages:\n${passages}\n\nQuestion: How long are backups kept?`);
    expect(answer).toMatchObject({
      text: "Backups are kept for 30 days in the archive. [2]",
      stopReason: "eogToken",
    });

    const thinker = await startChat(await load("reference-model"));
    expect((await thinker.ask("What is 2 plus 3? /think")).thoughts).not.toBe("");
  }, 60_000);
});

describe("the embedder, in the engine", () => {
  test("finds the passage that belongs to a question", async () => {
    const model = await load("reference-embedder");
    const context = await model.createEmbeddingContext();
    const embed = async (text: string) => (await context.getEmbeddingFor(text)).vector;
    const passages = [
      "The castle was built on a hill above the river in the twelfth century.",
      "Water boils at a lower temperature in the mountains because the air pressure is lower.",
      "The company reported higher profits and will pay its shareholders a dividend.",
      "Doctors recommend washing your hands to keep infections from spreading.",
    ];
    const vectors = await Promise.all(passages.map(embed));
    const nearest = async (question: string) => {
      const asked = await embed(question);
      const scores = vectors.map((vector) => cosine(asked, vector));
      return scores.indexOf(Math.max(...scores));
    };
    for (const vector of vectors) {
      expect(vector).toHaveLength(256);
      expect(Math.hypot(...vector)).toBeGreaterThan(0);
    }
    expect(await nearest("When did they build the fortress?")).toBe(0);
    expect(await nearest("Why does water boil earlier at high altitude?")).toBe(1);
    expect(await nearest("How much money did the business earn?")).toBe(2);
    expect(await nearest("How can I avoid getting sick?")).toBe(3);
  });

  test("has no word order, as its card says", async () => {
    const model = await load("reference-embedder");
    const context = await model.createEmbeddingContext();
    const one = await context.getEmbeddingFor("man bites dog");
    const other = await context.getEmbeddingFor("dog bites man");
    expect(cosine(one.vector, other.vector)).toBeCloseTo(1, 4);
  });
});
