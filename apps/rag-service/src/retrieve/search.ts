import { LlmError, toLlmError } from "@enginehouse/llm-core";

import type { EmbedderSource } from "../embedder.ts";
import type { Candidate, PageStart, Store } from "../store/store.ts";
import { normalise } from "./vector.ts";
import { formOf, queryTerms, words } from "./words.ts";

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

/** Candidates of each list. Both scores are known for all, so more would hardly change the order. */
const CANDIDATES = 50;
const LONGEST_QUERY = 8000;

export function createSearcher({
  store,
  embedder: embedderOf,
}: {
  readonly store: Store;
  readonly embedder: EmbedderSource;
}): Searcher {
  async function search(request: SearchRequest): Promise<SearchResult> {
    const { query, mode = "hybrid", topK = 10, minScore = 0, denseWeight = 0.25, signal } = request;
    checkRequest(request);
    const warnings: string[] = [];
    const terms = queryTerms(query);

    const embedStart = performance.now();
    const vector = mode === "lexical" ? undefined : await embedQuery(query, warnings, signal);
    const searchStart = performance.now();
    signal?.throwIfAborted();
    const found = await store.searchCandidates({
      terms: mode === "dense" && vector !== undefined ? [] : terms,
      vector,
      collectionIds: request.collectionIds,
      documentIds: request.documentIds,
      limit: Math.max(CANDIDATES, topK),
    });
    const { frequencies, windows } =
      mode === "dense" && vector !== undefined
        ? await store.wordFrequencies(terms)
        : { frequencies: found.frequencies, windows: found.windows };
    const idf = new Map(
      terms.map((term, at) => [formOf(term), inverseFrequency(frequencies[at] ?? 0, windows)]),
    );
    signal?.throwIfAborted();

    const hits = fuse(found.candidates, mode === "dense" ? 1 : denseWeight)
      .filter((hit) => hit.score.fused >= minScore)
      .slice(0, topK);
    const hasWords = found.candidates.some((candidate) => candidate.lexical !== undefined);
    const hasVectors = found.candidates.some((candidate) => candidate.dense !== undefined);
    const withVectors = hasWords && mode === "hybrid" ? "hybrid" : "dense";
    const coverage = Math.max(0, ...hits.slice(0, 5).map((hit) => covered(hit, idf)));
    return {
      hits,
      mode: hasVectors ? withVectors : "lexical",
      idf,
      coverage,
      warnings,
      timings: {
        embedMs: vector === undefined ? undefined : searchStart - embedStart,
        searchMs: performance.now() - searchStart,
      },
    };
  }

  /** A unit vector that fits the index, or a warning why words alone must do. */
  async function embedQuery(
    query: string,
    warnings: string[],
    signal: AbortSignal | undefined,
  ): Promise<Float32Array | undefined> {
    try {
      const generation = (await store.listGenerations()).find(({ active }) => active);
      const embedder = await embedderOf();
      if (embedder === undefined || generation === undefined) {
        if (embedder === undefined)
          warnings.push("No model embeds at present: the search went by words alone.");
        return undefined;
      }
      const { provider, model, dimensions } = embedder;
      if (
        generation.provider !== provider ||
        generation.model !== model ||
        generation.dimensions !== dimensions
      ) {
        warnings.push(
          `The documents are not yet indexed with ${provider}/${model}: until then the search goes by words alone.`,
        );
        return undefined;
      }
      const [vector] = await embedder.embed([query], "query", { signal });
      return normalise(vector, embedder);
    } catch (error) {
      if (signal?.aborted === true) throw toLlmError(error, "aborted");
      const message = error instanceof Error ? error.message : String(error);
      warnings.push(`The question could not be embedded (${message}): the search went by words alone.`);
      return undefined;
    }
  }

  async function widen(hit: Hit): Promise<Hit> {
    const { charStart, charEnd } = hit.parent;
    const text = await store.readText(hit.documentId, { start: charStart, end: charEnd });
    // The document may have changed or gone since the search.
    if (text === undefined || text.slice(hit.charStart - charStart, hit.charEnd - charStart) !== hit.text)
      return hit;
    const all = await store.readPages(hit.documentId);
    const pages = all.filter(
      (page, at) => page.charStart < charEnd && (all[at + 1]?.charStart ?? Infinity) > charStart,
    );
    return { ...hit, text, charStart, charEnd, page: pages[0]?.page, pages };
  }

  return { search, widen };
}

function checkRequest({ query, topK = 10, denseWeight = 0.25 }: SearchRequest): void {
  if (query.trim() === "")
    throw new LlmError("invalid-request", "the query is empty", { status: 400, hint: "Ask something." });
  if (query.length > LONGEST_QUERY) {
    throw new LlmError(
      "invalid-request",
      `the query has ${query.length} characters, the limit is ${LONGEST_QUERY}`,
      {
        status: 413,
        hint: "Ask a shorter question; add long texts as documents.",
      },
    );
  }
  if (!Number.isInteger(topK) || topK < 1 || topK > 200) {
    throw new LlmError("invalid-request", "topK must be a whole number from 1 to 200", { status: 400 });
  }
  if (!(denseWeight >= 0 && denseWeight <= 1))
    throw new LlmError("invalid-request", "denseWeight must lie between 0 and 1", { status: 400 });
}

/**
 * The relative sum: each score as a share of the best of its kind. Ranks are not used, because a weak embedder's first
 * place would then count as much as a strong one's.
 */
function fuse(candidates: readonly Candidate[], denseWeight: number): readonly Hit[] {
  const best = (scores: readonly (number | undefined)[]) => Math.max(0, ...scores.map((score) => score ?? 0));
  const bestLexical = best(candidates.map(({ lexical }) => lexical));
  const bestDense = best(candidates.map(({ dense }) => dense));
  let weight = bestDense === 0 ? 0 : denseWeight;
  if (bestLexical === 0) weight = 1;
  return candidates
    .map((candidate) => {
      const lexical = bestLexical === 0 ? 0 : (candidate.lexical ?? 0) / bestLexical;
      const dense = bestDense === 0 ? 0 : Math.max(0, candidate.dense ?? 0) / bestDense;
      return toHit(candidate, (1 - weight) * lexical + weight * dense);
    })
    .toSorted((a, b) => b.score.fused - a.score.fused || (a.chunkId < b.chunkId ? -1 : 1));
}

function toHit({ passage, collectionId, name, title, lexical, dense }: Candidate, fused: number): Hit {
  const { id, documentId, versionId, page, pages, charStart, charEnd, text, headingPath, parent } = passage;
  const score = { dense, lexical, fused };
  return {
    chunkId: id,
    documentId,
    versionId,
    collectionId,
    name,
    title,
    page,
    pages,
    charStart,
    charEnd,
    text,
    headingPath,
    parent,
    score,
  };
}

/** Rare words count more; one that is everywhere counts a little, one that is nowhere counts most. */
export function inverseFrequency(frequency: number, windows: number): number {
  return Math.log(1 + (windows - frequency + 0.5) / (frequency + 0.5));
}

function covered(hit: Hit, idf: ReadonlyMap<string, number>): number {
  const forms = new Set(
    [...words(`${hit.title} ${hit.headingPath.join(" ")} ${hit.text}`)].map(({ form }) => form),
  );
  let all = 0;
  let found = 0;
  for (const [form, weight] of idf) {
    all += weight;
    if (forms.has(form)) found += weight;
  }
  return all === 0 ? 0 : found / all;
}
