import { readFile } from "node:fs/promises";

import { createAttributor } from "../cite/attribute.ts";
import type { Embedder } from "../embedder.ts";
import { createIngestor } from "../ingest/ingest.ts";
import { bestQuotes } from "../retrieve/quotes.ts";
import { createSearcher, type Hit, type SearchMode } from "../retrieve/search.ts";
import type { Store } from "../store/store.ts";

/** Shares of 0 to 1 over all questions that have an answer in the documents. */
export interface RetrievalScores {
  /** The best passage, one of the best five, holds the answer. */
  readonly hit1: number;
  readonly hit5: number;
  /** Mean of 1 / place of the first passage that holds it, within ten. */
  readonly mrr: number;
}

export interface QuoteScores {
  /** The answer is in the first sentence, the first three, the first five. */
  readonly first: number;
  readonly three: number;
  readonly five: number;
}

export interface CitationScores {
  /** Of the sentences called supported, those that are. */
  readonly precision: number;
  /** Of the sentences that are supported, those that were found so. */
  readonly recall: number;
  /** Of those found, how many cite a sentence that really says it. */
  readonly place: number;
  /** Of true sentences whose document was taken away, how many were called supported all the same. */
  readonly strayed: number;
}

export interface Figures {
  readonly questions: number;
  readonly windows: number;
  readonly retrieval: Readonly<Partial<Record<SearchMode, RetrievalScores>>>;
  readonly quotes: QuoteScores;
  readonly quotesWithEmbedder: QuoteScores | undefined;
  readonly citations: CitationScores;
  /** The same on claims written later, half of them made to deceive. */
  readonly heldOut: CitationScores;
  /** The same on claims that nothing was tuned on, half of them made to deceive. */
  readonly fresh: CitationScores;
  /** Mean share of the question's words in the best passages, with and without an answer in the documents. */
  readonly coverage: { readonly answerable: number; readonly unanswerable: number };
  /** What `measure` disagreed with, one line each. */
  readonly misses: readonly string[];
}

export interface Question {
  readonly id: string;
  readonly document: string;
  readonly question: string;
  readonly answers: readonly string[];
}

export interface Claim {
  readonly id: string;
  readonly document: string;
  readonly question: string;
  readonly sentence: string;
  readonly supported: boolean;
  readonly evidence?: readonly string[];
}

export interface EvaluationSet {
  readonly files: readonly { readonly id: string; readonly file: string }[];
  readonly answerable: readonly Question[];
  readonly unanswerable: readonly { readonly id: string; readonly question: string }[];
  readonly claims: readonly Claim[];
  readonly heldOut: readonly Claim[];
  readonly fresh: readonly Claim[];
}

export async function readEvaluationSet(application: URL): Promise<EvaluationSet> {
  const read = async (path: string): Promise<unknown> =>
    JSON.parse(await readFile(new URL(path, application), "utf8"));
  const [files, questions, claims, heldOut, fresh] = await Promise.all(
    [
      "examples/examples.json",
      "eval/questions.json",
      "eval/claims.json",
      "eval/claims-held-out.json",
      "eval/claims-fresh.json",
    ].map(read),
  );
  return {
    files: files as EvaluationSet["files"],
    ...(questions as Pick<EvaluationSet, "answerable" | "unanswerable">),
    claims: claims as EvaluationSet["claims"],
    heldOut: heldOut as EvaluationSet["heldOut"],
    fresh: fresh as EvaluationSet["fresh"],
  };
}

/** Indexes the example documents into an empty store and asks all questions. */
export async function measure(options: {
  readonly application: URL;
  readonly store: Store;
  readonly dataDir: string;
  readonly embedder: Embedder | undefined;
  readonly windowTokens?: number | undefined;
}): Promise<Figures> {
  const { application, store, dataDir, embedder, windowTokens = 400 } = options;
  const set = await readEvaluationSet(application);
  const source = () => embedder;
  const settings = { windowTokens, windowOverlap: Math.floor(windowTokens * 0.15) };
  const ingestor = createIngestor({ store, dataDir, embedder: source, settings });
  const documents = new Map<string, string>();
  for (const { id, file } of set.files) {
    const bytes = await readFile(new URL(`examples/${file}`, application));
    documents.set(id, (await ingestor.submit(bytes, { name: file })).documentId);
  }
  await ingestor.idle();
  await ingestor.close();

  const searcher = createSearcher({ store, embedder: source });
  const misses: string[] = [];
  const retrieval: Partial<Record<SearchMode, RetrievalScores>> = {};
  for (const mode of embedder === undefined
    ? (["lexical"] as const)
    : (["lexical", "dense", "hybrid"] as const)) {
    const places: number[] = [];
    for (const question of set.answerable) {
      const { hits, warnings } = await searcher.search({ query: question.question, mode, topK: 10 });
      // Figures of half a search would be taken for those of a whole one.
      if (warnings.length > 0) throw new Error(`"${question.question}": ${warnings.join(" ")}`);
      const place = hits.findIndex(
        (hit) => hit.documentId === documents.get(question.document) && contains(hit.text, question.answers),
      );
      places.push(place);
      if (place !== 0 && mode !== "dense")
        misses.push(`${mode}: ${question.id} at ${place + 1}: ${question.question}`);
    }
    retrieval[mode] = {
      hit1: share(places, (place) => place === 0),
      hit5: share(places, (place) => place >= 0 && place < 5),
      mrr: mean(places.map((place) => (place < 0 ? 0 : 1 / (place + 1)))),
    };
  }

  const plainPlaces = await quotePlaces(undefined);
  const secondPlaces = embedder && (await quotePlaces(embedder));

  async function quotePlaces(opinion: Embedder | undefined): Promise<readonly number[]> {
    const places: number[] = [];
    for (const { id, question, answers } of set.answerable) {
      const { hits, idf } = await searcher.search({ query: question, topK: 10 });
      const quotes = await bestQuotes(question, hits, { idf, embedder: opinion });
      const place = quotes.findIndex(({ quote }) => contains(quote, answers));
      places.push(place);
      if (place !== 0)
        misses.push(
          `quote${opinion ? " with embedder" : ""}: ${id} at ${place + 1}: ${question} -> ${quotes[0]?.quote ?? "nothing"}`,
        );
    }
    return places;
  }

  const coverage = async (questions: readonly { readonly question: string }[]) => {
    const shares: number[] = [];
    for (const { question } of questions) shares.push((await searcher.search({ query: question })).coverage);
    return mean(shares);
  };

  async function citationScores(claims: readonly Claim[]): Promise<CitationScores> {
    const judged = [];
    for (const claim of claims) {
      const { hits } = await searcher.search({ query: claim.question, topK: 8 });
      const verdict = await judge(claim, hits);
      const others = hits.filter((hit) => hit.documentId !== documents.get(claim.document));
      const strayed = claim.supported && (await judge(claim, others)).supported;
      const found = verdict.supported;
      const placed = found && verdict.citations.some(({ quote }) => contains(quote, claim.evidence ?? []));
      if (found !== claim.supported)
        misses.push(`citation: ${claim.id} called ${found ? "" : "not "}supported: ${claim.sentence}`);
      else if (found && !placed)
        misses.push(`citation: ${claim.id} cites another sentence: ${verdict.citations[0]?.quote ?? ""}`);
      if (strayed)
        misses.push(
          `citation: ${claim.id} is still called supported without its document: ${claim.sentence}`,
        );
      judged.push({ claim, found, placed, strayed });
    }
    const supported = judged.filter(({ claim }) => claim.supported);
    const called = judged.filter(({ found }) => found);
    return {
      precision: share(called, ({ claim }) => claim.supported),
      recall: share(supported, ({ found }) => found),
      place: share(
        supported.filter(({ found }) => found),
        ({ placed }) => placed,
      ),
      strayed: share(supported, ({ strayed }) => strayed),
    };
  }

  async function judge(claim: Claim, hits: readonly Hit[]) {
    const passages = hits.map((hit, at) => ({ ...hit, n: at + 1 }));
    const attributor = createAttributor({
      question: claim.question,
      passages,
      embedder,
      frequencies: store.wordFrequencies,
    });
    attributor.push(claim.sentence);
    const { sentences } = await attributor.finish();
    return {
      supported: sentences.some(({ supported }) => supported === true),
      citations: sentences.flatMap(({ citations }) => citations),
    };
  }

  return {
    questions: set.answerable.length,
    windows: (await store.status()).windows,
    retrieval,
    quotes: quoteScores(plainPlaces),
    quotesWithEmbedder: secondPlaces && quoteScores(secondPlaces),
    citations: await citationScores(set.claims),
    heldOut: await citationScores(set.heldOut),
    fresh: await citationScores(set.fresh),
    coverage: { answerable: await coverage(set.answerable), unanswerable: await coverage(set.unanswerable) },
    misses,
  };
}

/** Line ends and spaces aside, one of the answers stands in the text. */
export function contains(text: string, answers: readonly string[]): boolean {
  const flat = text.replace(/\s+/g, " ").toLowerCase();
  return answers.some((answer) => flat.includes(answer.toLowerCase()));
}

function quoteScores(places: readonly number[]): QuoteScores {
  const within = (count: number) => share(places, (place) => place >= 0 && place < count);
  return { first: within(1), three: within(3), five: within(5) };
}

export function share<T>(values: readonly T[], holds: (value: T) => boolean): number {
  return values.length === 0 ? 0 : values.filter(holds).length / values.length;
}

export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
