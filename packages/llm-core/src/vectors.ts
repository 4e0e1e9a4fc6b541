import { LlmError } from "./errors.ts";

/** The vectors of an answer, each of length 1. Throws `invalid-response` where they are not one for each text, alike and finite. */
export function unitVectors(vectors: readonly Float32Array[], texts: number): readonly Float32Array[] {
  const invalid = (says: string): LlmError =>
    new LlmError("invalid-response", `${texts} texts went in, and ${says}`);
  if (vectors.length !== texts) throw invalid(`${vectors.length} vectors came out`);
  const dimensions = vectors[0]?.length ?? 0;
  if (dimensions === 0 || vectors.some(({ length }) => length !== dimensions))
    throw invalid("not all vectors that came out have one length");
  return vectors.map((vector) => {
    const length = lengthOf(vector);
    if (!Number.isFinite(length)) throw invalid("a vector that came out holds something else than numbers");
    // A vector of zeros has no direction, and stays what it is.
    return length === 0 || Math.abs(length - 1) < 1e-6 ? vector : vector.map((value) => value / length);
  });
}

/** Squares of 32-bit numbers fit a sum of 64 bits: a sum that is not finite has a number that is not. */
function lengthOf(vector: Float32Array): number {
  let sum = 0;
  for (const value of vector) sum += value * value;
  return Math.sqrt(sum);
}
