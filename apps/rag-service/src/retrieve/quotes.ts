import type { Embedder } from "../embedder.ts";
import type { Hit, HitScore } from "./search.ts";

/** A sentence of a document, verbatim: `quote` is exactly `charStart` to `charEnd` of the stored text. */
export interface Quote {
  readonly documentId: string;
  readonly versionId: string;
  readonly chunkId: string;
  readonly collectionId: string;
  readonly name: string;
  readonly title: string;
  readonly page: number | undefined;
  readonly charStart: number;
  readonly charEnd: number;
  readonly quote: string;
  readonly headingPath: readonly string[];
  /** Score of the passage it is from. */
  readonly score: HitScore;
  /** What the order follows, larger is better; 1 is a sentence that has every word of the question. */
  readonly relevance: number;
}

export interface QuoteOptions {
  /** Default 5. */
  readonly limit?: number | undefined;
  /** `SearchResult.idf`. */
  readonly idf?: ReadonlyMap<string, number> | undefined;
  /** A second opinion on the best few; without it words alone decide. */
  readonly embedder?: Embedder | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The sentences of the hits that answer the question best, best first. Empty when no hit has a word of it. */
export function bestQuotes(
  _question: string,
  _hits: readonly Hit[],
  _options?: QuoteOptions,
): Promise<readonly Quote[]> {
  throw new Error("not written yet");
}
