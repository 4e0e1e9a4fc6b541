import type { Embedder } from "../src/embedder.ts";

/** An embedder without a model: texts with the same words have near vectors. Deterministic. */
export function createWordEmbedder(
  overrides: Partial<Embedder> = {},
): Embedder & { readonly embedded: string[] } {
  const dimensions = overrides.dimensions ?? 64;
  const embedded: string[] = [];
  return {
    provider: "double",
    model: "words",
    dimensions,
    maxTokens: 512,
    async embed(texts, _purpose, options) {
      options?.signal?.throwIfAborted();
      embedded.push(...texts);
      return texts.map((text) => vectorOf(text, dimensions));
    },
    embedded,
    ...overrides,
  };
}

function vectorOf(text: string, dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions);
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}]+/gu)) {
    let hash = 7;
    for (const character of word) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
    vector[hash % dimensions] = (vector[hash % dimensions] ?? 0) + 1;
  }
  return vector;
}
