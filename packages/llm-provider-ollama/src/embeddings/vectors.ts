import { type EmbedResponse, LlmError } from "@enginehouse/llm-core";
import { readVectors } from "@enginehouse/llm-wire";

import { isRecord } from "../wire.ts";

/** Texts in one request: so many are embedded before an abort is heeded, and their JSON stays small. */
const BATCH = 512;

/** One batch after the other, in order; a failing one fails all. */
export async function embedAll(
  texts: readonly string[],
  ask: (texts: readonly string[]) => Promise<unknown>,
): Promise<Omit<EmbedResponse, "model">> {
  const vectors: Float32Array[] = [];
  let tokens: number | undefined = 0;
  for (let from = 0; from < texts.length; from += BATCH) {
    const some = texts.slice(from, from + BATCH);
    const reply = await ask(some);
    const { embeddings, prompt_eval_count: counted } = isRecord(reply) ? reply : {};
    const rows = readVectors(embeddings);
    if (rows.length !== some.length) throw wrongCount(some, rows.length);
    vectors.push(...rows);
    tokens = tokens === undefined || typeof counted !== "number" ? undefined : tokens + counted;
  }
  return { vectors, usage: { inputTokens: tokens } };
}

function wrongCount(texts: readonly string[], count: number): LlmError {
  if (texts.includes("")) {
    return new LlmError("invalid-request", "texts: this Ollama server gives no vector for an empty text", {
      hint: "leave empty texts out",
    });
  }
  return new LlmError("invalid-response", `${texts.length} texts went in, and ${count} vectors came out`);
}
