import type { Embedder } from "../embedder.ts";
import { createPauses } from "../pauses.ts";
import type { HitScore } from "../retrieve/search.ts";
import type { Store } from "../store/store.ts";
import { type AnswerSentence, createSentenceCutter, type WrittenMarker } from "./answer-sentences.ts";
import { createMatcher, type Match, type Passage } from "./match.ts";

export type { Passage } from "./match.ts";

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
  /** The next piece of the answer, in order, of any size. Never blocks; verdicts come through `onSentence`. */
  push(delta: string): void;
  /** No more is coming: the last sentence is judged, then the whole. */
  finish(): Promise<Attribution>;
}

export interface AttributorOptions {
  readonly question: string;
  readonly passages: readonly Passage[];
  /** Called for each sentence, in order. */
  readonly onSentence?: ((verdict: SentenceVerdict) => void) | undefined;
  /** `SearchResult.idf`: how rare the words of the question are. */
  readonly idf?: ReadonlyMap<string, number> | undefined;
  /** How common words are in the documents: `Store.wordFrequencies`. Without it the passages alone tell. */
  readonly frequencies?: Store["wordFrequencies"] | undefined;
  /** A second opinion on sentences in doubt. Its failure is not one of the answer. */
  readonly embedder?: Embedder | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The answer says that it does not know: nothing to support, and nothing to hold against it. */
const REFUSAL =
  /\b(?:(?:do|does|did)(?:n['’]t| not)|can(?:['’]t|not| not)|could(?:n['’]t| not)|(?:is|are|was|were)(?:n['’]t| not)|unable to)\b.{0,40}\b(?:enough|information|contain|find|found|provided?|mention(?:ed)?|specif(?:y|ied)|stated?|know|answer(?:ed)?|available|include)\b|\b(?:no|not enough|insufficient) (?:information|mention|answer|details?)\b/i;

export function createAttributor(options: AttributorOptions): Attributor {
  const { question, passages, embedder, signal, onSentence } = options;
  const cutter = createSentenceCutter();
  const matcher = createMatcher({
    question,
    passages,
    embedder,
    signal,
    idf: options.idf,
    frequencies: options.frequencies,
  });
  const verdicts: SentenceVerdict[] = [];
  const waiting: AnswerSentence[] = [];
  const pause = createPauses(signal);
  let refused = false;
  let final = false;
  let busy = false;
  let work = Promise.resolve();

  /** Judges what has ended, one after the other, with pauses in which the signal can be given. */
  async function judgeAll(): Promise<void> {
    for (;;) {
      await pause();
      signal?.throwIfAborted();
      const sentence = waiting.shift() ?? cutter.next(final);
      if (sentence === undefined) break;
      const verdict = await judge(sentence);
      verdicts.push(verdict);
      onSentence?.(verdict);
    }
    busy = false;
  }

  function start(): void {
    if (busy) return;
    busy = true;
    work = work.then(judgeAll);
    // A fault is told by `finish`; until then nobody may be listening.
    work.catch(() => undefined);
  }

  async function judge(sentence: AnswerSentence): Promise<SentenceVerdict> {
    const { start, end, text, markers, kind } = sentence;
    const isRefusal = REFUSAL.test(text);
    const matches = kind === "statement" ? await matcher.match(text) : undefined;
    const none = { start, end, text, citations: [] };
    // A denial may be a fact of the document, too ("does not include batteries"): then it has support.
    if (isRefusal && (matches === undefined || matches[0]?.supports !== true)) {
      refused = true;
      return { ...none, supported: undefined, markers: markers.map(drop) };
    }
    if (matches === undefined) return { ...none, supported: undefined, markers: markers.map(drop) };
    const best = matches[0];
    if (best === undefined || !best.supports)
      return { ...none, supported: false, markers: markers.map(drop) };

    const kept = matches.filter(
      (match) =>
        match.supports &&
        match.support >= best.support - CLEARLY_BETTER &&
        markers.some(({ n }) => n === match.passage.n),
    );
    const cited =
      kept.length > 0 ? kept : matches.filter((match) => match === best || match.completes === best);
    return {
      start,
      end,
      text,
      supported: true,
      citations: cited.map((match) => toCitation(match, start, end)),
      markers: markers.map((marker): Marker => {
        if (kept.some(({ passage }) => passage.n === marker.n)) return { ...marker, verdict: "kept" };
        return kept.length > 0 ? drop(marker) : { ...marker, verdict: "moved", to: best.passage.n };
      }),
    };
  }

  return {
    push(delta) {
      cutter.push(delta);
      while (waiting.length < AHEAD) {
        const sentence = cutter.next();
        if (sentence === undefined) break;
        waiting.push(sentence);
      }
      if (waiting.length > 0) start();
    },
    async finish() {
      final = true;
      start();
      await work;
      const claims = verdicts.filter((verdict) => verdict.supported !== undefined).length;
      const supported = verdicts.filter((verdict) => verdict.supported === true).length;
      return {
        sentences: verdicts,
        claims,
        supported,
        share: claims === 0 ? undefined : supported / claims,
        nothingSupported: claims > 0 && supported === 0,
        refused: refused && supported === 0,
      };
    },
  };
}

/** Sentences are cut as they come, but no more than this ahead of the judging: the others when it is their turn. */
const AHEAD = 16;
/** A marker stands as long as no other passage supports the sentence by so much more. */
const CLEARLY_BETTER = 0.2;

function drop(marker: WrittenMarker): Marker {
  return { ...marker, verdict: "dropped" };
}

function toCitation(match: Match, answerStart: number, answerEnd: number): Citation {
  const { passage, span, support } = match;
  const { n, documentId, versionId, chunkId, collectionId, name, title, headingPath, score } = passage;
  const charStart = passage.charStart + span.start;
  return {
    n,
    documentId,
    versionId,
    chunkId,
    collectionId,
    name,
    title,
    page: passage.pages.findLast((page) => page.charStart <= charStart)?.page ?? passage.page,
    charStart,
    charEnd: passage.charStart + span.end,
    quote: passage.text.slice(span.start, span.end),
    headingPath,
    score,
    support,
    answerStart,
    answerEnd,
  };
}
