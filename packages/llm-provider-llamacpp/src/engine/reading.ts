import { LlmError } from "@enginehouse/llm-core";
import type { LlamaEmbeddingContext, LlamaRankingContext, Token } from "node-llama-cpp";

import type { Asks } from "../wire.ts";
import type { OpenModel, Reader } from "./model.ts";
import { promptTokens } from "./prompt.ts";

// What a model reads without writing: texts to vectors, documents to scores, prompts to counts.

/** Milliseconds. What counts tokens does nothing else meanwhile, and others have to do in this process, too. */
const LONGEST_HOLD = 20;

/** To be called between two items of a long list: lets the others have their turn, and throws once it is aborted. */
function considerate(signal: AbortSignal): () => Promise<void> | undefined {
  let since = performance.now();
  const giveWay = async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    since = performance.now();
    signal.throwIfAborted();
  };
  return () => (performance.now() - since < LONGEST_HOLD ? undefined : giveWay());
}

/** All lengths are checked before the first text is read, so that a batch is embedded whole or not at all. */
export async function embedTexts(
  { context, model, limit }: Reader<LlamaEmbeddingContext>,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<Asks["embed"]["reply"]> {
  let tokens = 0;
  const inputs: Token[][] = [];
  const between = considerate(signal);
  for (const [index, text] of texts.entries()) {
    await between();
    const input = model.tokenize(text);
    // Without any token the engine answers with no vector at all; with its frame alone, with the vector of nothing.
    if (input.length === 0 && model.tokens.bos !== null) input.push(model.tokens.bos);
    const length = context.calculateInputLength(input.slice());
    if (length > limit) throw tooLong(`text ${index}`, index, length, limit);
    tokens += length;
    inputs.push(input);
  }
  const vectors: Float32Array[] = [];
  for (const [index, input] of inputs.entries()) {
    signal.throwIfAborted();
    const { vector } = await context.getEmbeddingFor(input);
    vectors.push(normalised(vector, index));
  }
  return { vectors, tokens };
}

export async function rankDocuments(
  { context, limit }: Reader<LlamaRankingContext>,
  query: string,
  documents: readonly string[],
  signal: AbortSignal,
): Promise<Asks["rerank"]["reply"]> {
  const between = considerate(signal);
  for (const [index, document] of documents.entries()) {
    await between();
    const length = context.calculateInputLength(query, document);
    if (length > limit) throw tooLong(`query and document ${index}`, index, length, limit);
  }
  const scores: number[] = [];
  for (const document of documents) {
    signal.throwIfAborted();
    scores.push(await context.rank(query, document));
  }
  return { scores };
}

export async function countTokens(
  open: OpenModel,
  job: Asks["count"]["job"],
  signal: AbortSignal,
  onReady: () => void,
): Promise<Asks["count"]["reply"]> {
  if (job.history !== undefined) {
    const { wrapper, model, window } = await open.chat();
    onReady();
    return {
      tokens: promptTokens(wrapper(true), model.tokenizer, job.history, job.functions).length,
      window,
    };
  }
  const texts = job.texts ?? [];
  const reader = open.kind === "embedding" ? await open.embedder() : undefined;
  onReady();
  const count = (text: string): number =>
    reader?.context.calculateInputLength(text) ?? open.model.tokenize(text).length;
  const perText: number[] = [];
  const between = considerate(signal);
  for (const text of texts) {
    await between();
    perText.push(count(text));
  }
  return { tokens: perText.reduce((sum, each) => sum + each, 0), perText, window: open.window() };
}

function tooLong(what: string, index: number, tokens: number, limit: number): LlmError {
  return new LlmError("input-too-long", `${what} has ${tokens} tokens, and the model reads ${limit}`, {
    figures: { index, tokens, limit },
    hint: "split the text",
  });
}

function normalised(vector: readonly number[], index: number): Float32Array {
  const length = Math.hypot(...vector);
  if (!(length > 0) || !Number.isFinite(length)) {
    throw new LlmError("invalid-request", `text ${index} has nothing that this model could embed`, {
      figures: { index },
      hint: "leave out texts that are empty or hold only blanks",
    });
  }
  return Float32Array.from(vector, (value) => value / length);
}
