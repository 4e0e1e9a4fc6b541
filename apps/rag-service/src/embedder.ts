/** Whatever turns texts into vectors for the index: a model of any provider that embeds. */
export interface Embedder {
  /** The name the provider was made under, and its model: together they name the index generation. */
  readonly provider: string;
  readonly model: string;
  readonly dimensions: number;
  /** The longest text in tokens that it reads; a window of a document is never longer. `undefined`: not known. */
  readonly maxTokens: number | undefined;
  /** One vector for each text, in their order. They need not be normalised. */
  embed(
    texts: readonly string[],
    purpose: "query" | "document",
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<readonly Float32Array[]>;
  /** Tokens as the model's own tokenizer counts them, special ones included. Without it, four characters are a token. */
  countTokens?(text: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<number>;
}

/** The embedder of this moment, or `undefined` when there is none: asked anew by every job and every search. */
export type EmbedderSource = () => Embedder | undefined | Promise<Embedder | undefined>;
