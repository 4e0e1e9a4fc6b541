import { type EmbedResponse, isLlmError, LlmError } from "@enginehouse/llm-core";

import { PARTS } from "../reference/parts.ts";
import { inside, mutant, outside, part } from "./making.ts";
import type { Mutant } from "./mutant.ts";

export const EMBEDDING_MUTANTS: readonly Mutant[] = [
  mutant(
    "M22",
    "takes the vectors of parallel batches as they arrive",
    inside(({ embed }) => ({
      async embed(request, options) {
        const { texts, model } = request;
        if (texts.length <= BATCH) return embed(request, options);
        const vectors: Float32Array[] = [];
        let inputTokens: number | undefined = 0;
        await Promise.all(
          Array.from({ length: Math.ceil(texts.length / BATCH) }, async (_, index) => {
            const batch = texts.slice(index * BATCH, (index + 1) * BATCH);
            const part = await embed({ ...request, texts: batch }, options);
            vectors.push(...part.vectors);
            const { inputTokens: counted } = part.usage;
            inputTokens =
              inputTokens === undefined || counted === undefined ? undefined : inputTokens + counted;
          }),
        );
        return { model, vectors, usage: { inputTokens } };
      },
    })),
    {},
  ),
  mutant(
    "M23",
    "hands out a vector with NaN in it",
    outside(({ embed }) => ({
      embed: async (...given) => vectorsOf(await embed(...given), (vector) => vector.with(0, Number.NaN)),
    })),
    {},
  ),
  mutant(
    "M49",
    "leaves empty texts out",
    outside(({ embed }) => ({
      embed: (request, options) =>
        embed({ ...request, texts: request.texts.filter((text) => text !== "") }, options),
    })),
    {},
  ),
  mutant(
    "M161",
    "embeds a text that comes twice only once",
    outside(({ embed }) => ({
      embed: (request, options) => embed({ ...request, texts: [...new Set(request.texts)] }, options),
    })),
    {},
  ),
  mutant(
    "M162",
    "does not say how many texts the backend takes",
    part({
      refusalOf(...given) {
        const fault = PARTS.refusalOf(...given);
        if (!fault.message.includes("at most")) return fault;
        return new LlmError("invalid-request", "the backend refused the request", { status: fault.status });
      },
    }),
    {},
  ),
  mutant(
    "M163",
    "asks the backend to embed no texts",
    outside(({ embed }) => ({
      async embed(request, options) {
        if (request.texts.length > 0) return embed(request, options);
        const response = await embed({ ...request, texts: ["nothing"] }, options);
        return { ...response, vectors: [] };
      },
    })),
    {},
  ),
  mutant(
    "M164",
    "takes an unknown count of embedded tokens for 0",
    outside(({ embed }) => ({
      async embed(...given) {
        const { usage, ...response } = await embed(...given);
        return { ...response, usage: { inputTokens: usage.inputTokens ?? 0 } };
      },
    })),
    {},
  ),
  mutant(
    "M165",
    "turns a vector by its place in the list",
    outside(({ embed }) => ({
      embed: async (...given) =>
        vectorsOf(await embed(...given), (vector, index) =>
          vector.map((_, at) => vector.at((at + index) % vector.length) ?? 0),
        ),
    })),
    {},
  ),
  mutant(
    "M166",
    "trims texts before it embeds them",
    inside(({ embed }) => ({
      embed: (request, options) =>
        embed({ ...request, texts: request.texts.map((text) => text.trim()) }, options),
    })),
    {},
  ),
  mutant(
    "M167",
    "adds a prefix to texts that have no purpose",
    inside(({ embed }) => ({
      embed: (request, options) =>
        embed(
          { ...request, texts: request.texts.map((text) => `${request.purpose ?? "text"}: ${text}`) },
          options,
        ),
    })),
    {},
  ),
  mutant(
    "M168",
    "fills in what is wrong with a vector",
    part({
      readVectors(told, count) {
        const vectors = told as (number | null)[][];
        const size = vectors[0]?.length ?? 0;
        const whole = Array.from({ length: count }, (_, index) =>
          Array.from({ length: size }, (__, at) => vectors[index]?.[at] ?? 0.5),
        );
        return PARTS.readVectors(whole, count);
      },
    }),
    {},
  ),
  mutant(
    "M169",
    "calls every fault of an embedding an internal one",
    inside(({ embed }) => ({
      async embed(...given) {
        try {
          return await embed(...given);
        } catch (error) {
          if (!isLlmError(error) || (error.status ?? 0) < 429) throw error;
          throw new LlmError("provider-internal", "the embedding failed", { cause: error });
        }
      },
    })),
    {},
  ),
  mutant(
    "M170",
    "gives scores best first",
    outside(({ rerank }) => ({
      async rerank(...given) {
        const { scores, ...response } = await rerank(...given);
        return { ...response, scores: scores.toSorted((one, other) => other - one) };
      },
    })),
    {},
  ),
  mutant(
    "M171",
    "hands vectors out as long as they came",
    part({ readVectors: (told) => (told as number[][]).map((vector) => Float32Array.from(vector)) }),
    {},
  ),
];

const BATCH = 32;

const vectorsOf = (
  response: EmbedResponse,
  change: (vector: Float32Array, index: number) => Float32Array,
): EmbedResponse => ({ ...response, vectors: response.vectors.map(change) });
