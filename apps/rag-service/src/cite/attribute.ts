import type { Embedder } from "../embedder.ts";
import type { Hit, HitScore } from "../retrieve/search.ts";

/** A passage that was in the prompt under the number `n`. */
export interface Passage extends Hit {
  readonly n: number;
}

export interface Citation {
  readonly n: number;
  readonly documentId: string;
  readonly versionId: string;
  readonly chunkId: string;
  readonly collectionId: string;
  readonly name: string;
  readonly title: string;
  readonly page: number | undefined;
  readonly charStart: number;
  readonly charEnd: number;
  /** The sentence that supports, verbatim: exactly `charStart` to `charEnd` of the stored text. */
  readonly quote: string;
  readonly headingPath: readonly string[];
  readonly score: HitScore;
  /** How well it supports the sentence, 0 to 1. */
  readonly support: number;
  /** The sentence in the answer. */
  readonly answerStart: number;
  readonly answerEnd: number;
}

/** What became of an `[n]` that the model wrote, at its place in the answer. */
export interface Marker {
  readonly start: number;
  readonly end: number;
  readonly n: number;
  readonly verdict: "kept" | "moved" | "dropped";
  /** Where it points now, when moved. */
  readonly to?: number | undefined;
}

/** One finished sentence. Offsets are UTF-16 indexes into the answer as the model wrote it, markers included. */
export interface SentenceVerdict {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** `undefined`: it says nothing that could be checked (a heading, a lead-in, code, a refusal). */
  readonly supported: boolean | undefined;
  /** Best first; empty unless supported. */
  readonly citations: readonly Citation[];
  readonly markers: readonly Marker[];
}

export interface Attribution {
  readonly sentences: readonly SentenceVerdict[];
  /** Sentences that say something checkable, and those of them that a passage supports. */
  readonly claims: number;
  readonly supported: number;
  /** supported / claims; `undefined` without claims. */
  readonly share: number | undefined;
  /** There are claims and no passage supports any of them: say first that the documents do not contain it. */
  readonly nothingSupported: boolean;
  /** The answer says itself that it does not know. */
  readonly refused: boolean;
}

export interface Attributor {
  /** The next piece of the answer, in order. Never blocks; verdicts come through `onSentence`. */
  push(delta: string): void;
  /** No more is coming: the last sentence is judged, then the whole. */
  finish(): Promise<Attribution>;
}

export interface AttributorOptions {
  readonly question: string;
  readonly passages: readonly Passage[];
  /** Called for each sentence, in order. */
  readonly onSentence?: ((verdict: SentenceVerdict) => void) | undefined;
  /** `SearchResult.idf`; other words are weighed by the passages alone. */
  readonly idf?: ReadonlyMap<string, number> | undefined;
  /** A second opinion on sentences in doubt. Its failure is not one of the answer. */
  readonly embedder?: Embedder | undefined;
  readonly signal?: AbortSignal | undefined;
}

export function createAttributor(_options: AttributorOptions): Attributor {
  throw new Error("not written yet");
}
