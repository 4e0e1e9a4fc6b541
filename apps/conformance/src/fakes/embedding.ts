import type { EmbedScript, ModelScript } from "../scenario.ts";
import type { Exchange } from "./http-fake.ts";
import { wait } from "./waiting.ts";
import { countWords, firstWords, vectorFor, wordsOfTexts } from "./words.ts";

/** Vectors, or what stands in their way; wires have words of their own for either. */
export type Embedded =
  | { readonly vectors: (number | null)[][]; readonly tokens: number | undefined }
  | { readonly problem: EmbedProblem };

export type EmbedProblem =
  | { readonly type: "batch-limit"; readonly limit: number }
  | { readonly type: "too-long"; readonly index: number; readonly tokens: number; readonly limit: number };

/** Plays an embedding's script; `undefined` when it was refused, and said. */
export const playEmbed = async (
  exchange: Exchange,
  model: ModelScript,
  script: EmbedScript,
  habits: { readonly cuts?: boolean; readonly dimensions?: number | undefined } = {},
): Promise<Embedded | undefined> => {
  const { house, asked, gone } = exchange;
  const texts = asked.texts ?? [];
  await wait(script.headersAfter ?? 0, gone);
  if (script.refusal !== undefined) {
    await exchange.refuse(script.refusal);
    return undefined;
  }
  if (texts.length > (script.batchLimit ?? Infinity)) {
    return { problem: { type: "batch-limit", limit: script.batchLimit ?? 0 } };
  }
  const loaded = await house.load(model, asked, gone);
  if ("refusal" in loaded) {
    await exchange.refuse(loaded.refusal);
    return undefined;
  }
  const limit = model.window;
  const index = texts.findIndex((text) => countWords(text) > limit);
  if (index >= 0 && habits.cuts !== true) {
    return { problem: { type: "too-long", index, tokens: countWords(texts[index] ?? ""), limit } };
  }
  return exchange.generate(async () => {
    await Promise.resolve();
    const read = texts.map((text) => (countWords(text) > limit ? firstWords(text, limit) : text));
    const { norm = 1 } = script;
    const dimensions = habits.dimensions ?? model.dimensions ?? 8;
    const vectors = read.map((text) => vectorFor(text, dimensions).map((value) => value * norm));
    const tokens = script.usage === "absent" ? undefined : (script.usage?.input ?? wordsOfTexts(read));
    return { vectors: spoiled(vectors, script.spoiled), tokens };
  });
};

const spoiled = (vectors: number[][], how: EmbedScript["spoiled"]): (number | null)[][] => {
  const last = vectors.at(-1);
  if (how === undefined || last === undefined) return vectors;
  const others = vectors.slice(0, -1);
  if (how === "missing") return others;
  if (how === "ragged") return [...others, last.slice(1)];
  // JSON has no word for what is no number: servers write null.
  return [...others, [null, ...last.slice(1)]];
};
