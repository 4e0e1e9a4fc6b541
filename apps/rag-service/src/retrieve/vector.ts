import { LlmError } from "@enginehouse/llm-core";

/** A vector of length 1 and of the right size, or an error that names the embedder. */
export function normalise(
  vector: Float32Array | undefined,
  embedder: { readonly provider: string; readonly model: string; readonly dimensions: number },
): Float32Array {
  const { provider, model, dimensions } = embedder;
  if (vector?.length !== dimensions) {
    const found = vector === undefined ? "no vector" : `a vector of ${vector.length} dimensions`;
    throw new LlmError(
      "invalid-response",
      `the embedder ${provider}/${model} gave ${found} where ${dimensions} dimensions were announced`,
      {
        provider,
        model,
        operation: "embed",
        hint: "Choose another embedder, or index anew with this one.",
      },
    );
  }
  let sum = 0;
  for (const value of vector) sum += value * value;
  if (!Number.isFinite(sum)) {
    throw new LlmError(
      "invalid-response",
      `the embedder ${provider}/${model} gave a vector that holds no numbers`,
      { provider, model, operation: "embed" },
    );
  }
  // A text without meaning for the model has the zero vector: near to nothing.
  const length = Math.sqrt(sum) || 1;
  return vector.map((value) => value / length);
}
