import type { EmbedderSource } from "../embedder.ts";
import type { PageStart, Store } from "../store/store.ts";

export interface SearchRequest {
  readonly query: string;
  /** Default: all collections. */
  readonly collectionIds?: readonly string[] | undefined;
  readonly documentIds?: readonly string[] | undefined;
  /** Default `hybrid`. */
  readonly mode?: SearchMode | undefined;
  /** Default 10. */
  readonly topK?: number | undefined;
  /** Hits with a lower fused score are left out. Default 0. */
  readonly minScore?: number | undefined;
  /** The share of the embedder in the fused score, 0 to 1. Default 0.25. */
  readonly denseWeight?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type SearchMode = "hybrid" | "dense" | "lexical";

export interface HitScore {
  /** Cosine of question and passage. */
  readonly dense: number | undefined;
  /** BM25, larger is better. */
  readonly lexical: number | undefined;
  /** What the order follows: 0 to 1, relative to the best of each list. */
  readonly fused: number;
}

/** A passage of a document: `text` is exactly `charStart` to `charEnd` of the stored text. */
export interface Hit {
  readonly chunkId: string;
  readonly documentId: string;
  readonly versionId: string;
  readonly collectionId: string;
  /** The file's name. */
  readonly name: string;
  readonly title: string;
  readonly page: number | undefined;
  readonly pages: readonly PageStart[];
  readonly charStart: number;
  readonly charEnd: number;
  readonly text: string;
  readonly headingPath: readonly string[];
  readonly parent: { readonly charStart: number; readonly charEnd: number };
  readonly score: HitScore;
}

export interface SearchResult {
  readonly hits: readonly Hit[];
  /** What was really done: `lexical` when there are no vectors yet, `dense` when no word of the question occurs. */
  readonly mode: SearchMode;
  /** How rare each word of the question is in the documents; quotes and citations weigh words by it. */
  readonly idf: ReadonlyMap<string, number>;
  /**
   * How much of the question the best passage has in words, weighted by rarity, 0 to 1. Below about 0.3 the documents
   * are unlikely to hold an answer.
   */
  readonly coverage: number;
  /** What differed from the request, in sentences for people. */
  readonly warnings: readonly string[];
  readonly timings: { readonly embedMs: number | undefined; readonly searchMs: number };
}

export interface Searcher {
  search(request: SearchRequest): Promise<SearchResult>;
  /** The hit with the text of its parent unit instead: more context, where the budget allows. */
  widen(hit: Hit): Promise<Hit>;
}

export function createSearcher(_options: {
  readonly store: Store;
  readonly embedder: EmbedderSource;
}): Searcher {
  throw new Error("not written yet");
}
