import { LlmError } from "@enginehouse/llm-core";

/** The vectors of a reply, one for each text, of one length, each of length 1. */
export function readVectors(told: unknown, count: number): readonly Float32Array[] {
  const invalid = (says: string): LlmError =>
    new LlmError("invalid-response", `${count} texts went in, and ${says}`);
  if (!Array.isArray(told)) throw invalid("no vectors came out");
  if (told.length !== count) throw invalid(`${told.length} vectors came out`);
  const vectors = told.map((vector: unknown) => {
    if (!Array.isArray(vector) || vector.length === 0 || !vector.every(Number.isFinite))
      throw invalid("a vector that came out holds something else than numbers");
    return unit(vector as number[]);
  });
  if (vectors.some((vector) => vector.length !== vectors[0]?.length))
    throw invalid("the vectors that came out differ in length");
  return vectors;
}

function unit(vector: readonly number[]): Float32Array {
  const length = Math.hypot(...vector);
  return Float32Array.from(vector, (value) => (length === 0 ? value : value / length));
}
