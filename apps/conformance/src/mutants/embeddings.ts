import { type EmbedResponse, isLlmError, LlmError } from "@enginehouse/llm-core";

import { PARTS } from "../reference/parts.ts";
import { inside, mutant, outside, part, past } from "./making.ts";
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
    { E01: /the vector of text \d+ stands at/ },
  ),
  mutant(
    "M23",
    "hands out a vector with NaN in it",
    outside(({ embed }) => ({
      embed: async (...given) => vectorsOf(await embed(...given), (vector) => vector.with(0, Number.NaN)),
    })),
    {
      E01: /the vector of text \d+ stands at/,
      E03: /vector 0 holds \["NaN"/,
      E08: /twice in one list, the text has two vectors/,
      E13: /seen \["NaN"/,
    },
  ),
  mutant(
    "M49",
    "leaves empty texts out",
    outside(({ embed }) => ({
      embed: (request, options) =>
        embed({ ...request, texts: request.texts.filter((text) => text !== "") }, options),
    })),
    { E06: /gave 0 vectors/ },
  ),
  mutant(
    "M161",
    "embeds a text that comes twice only once",
    outside(({ embed }) => ({
      embed: (request, options) => embed({ ...request, texts: [...new Set(request.texts)] }, options),
    })),
    { E02: /5 texts gave 4 vectors/, E08: /twice in one list, the text has two vectors/ },
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
    { E04: /the error does not say so/ },
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
    { E05: /no texts led to 1 request/ },
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
    { E07: /the backend told no count; seen 0/ },
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
    { E01: /the vector of text \d+ stands at/, E08: /twice in one list, the text has two vectors/ },
  ),
  mutant(
    "M166",
    "trims texts before it embeds them",
    inside(({ embed }) => ({
      embed: (request, options) =>
        embed({ ...request, texts: request.texts.map((text) => text.trim()) }, options),
    })),
    { E09: /reached the backend as "When/ },
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
    { E07: /the backend counted 28 tokens; seen 33/, E09: /reached the backend as "text:/ },
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
    { E10: /is missing: expected invalid-response, seen no error/ },
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
    { E11: /answered with 429: expected rate-limited, seen provider-internal/ },
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
    { E12: /the document that answers must score higher|scores do not follow/ },
  ),
  mutant(
    "M171",
    "hands vectors out as long as they came",
    past(
      {
        readVectors(told) {
          const vectors = told as number[][];
          return vectors.map((vector) => Float32Array.from(vector));
        },
      },
      // A call that can be aborted stays with the core: that end of it is another promise.
      (bare, hosted) => ({
        embed: (request, options) => (options?.signal === undefined ? bare : hosted).embed(request, options),
      }),
    ),
    { E10: /is missing: expected invalid-response, seen no error/, E13: /seen \["12\.000"/ },
  ),
];

const BATCH = 32;

const vectorsOf = (
  response: EmbedResponse,
  change: (vector: Float32Array, index: number) => Float32Array,
): EmbedResponse => ({ ...response, vectors: response.vectors.map(change) });
