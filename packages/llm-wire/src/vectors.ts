import { LlmError } from "@enginehouse/llm-core";

/** Rows of numbers as JSON has them. Their count and their lengths are the core's to check, for every provider. */
export function readVectors(rows: unknown): Float32Array[] {
  if (!Array.isArray(rows)) throw invalid("the reply has no list of vectors");
  return rows.map(readVector);
}

/** One row. A `null` in it, which would become 0 in silence, is `invalid-response` like all that is no number. */
export function readVector(row: unknown): Float32Array {
  if (!Array.isArray(row) || !row.every((value) => typeof value === "number"))
    throw invalid("a vector is no list of numbers");
  return Float32Array.from(row);
}

const invalid = (says: string): LlmError =>
  new LlmError("invalid-response", `embeddings: ${says}`, {
    phase: "request",
    hint: "look whether the model is one for embeddings",
  });
