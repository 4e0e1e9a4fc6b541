import { toLlmError } from "@enginehouse/llm-core";

import { sentences } from "../chunk/sentences.ts";
import type { Embedder } from "../embedder.ts";
import { headingText } from "../extract/heading.ts";
import { paragraphs } from "../extract/text.ts";
import { dot } from "./dot.ts";
import { type Hit, type HitScore, inverseFrequency } from "./search.ts";
import { normalise } from "./vector.ts";
import { formOf, isStopWord, queryTerms, words } from "./words.ts";

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

/** What a question asks for, and how a sentence shows that it has it. */
interface AnswerType {
  readonly asks: RegExp;
  readonly shows: (sentence: string, question: ReadonlySet<string>) => boolean;
}

const NUMBER =
  /\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|thousand|million|half|twice|once)\b/i;
const TIME =
  /\b(?:1[5-9]|20)\d\d\b|\b(?:january|february|march|april|may|june|july|august|september|october|november|december|monday|tuesday|wednesday|thursday|friday|saturday|sunday|century|morning|noon|midnight|evening|spring|summer|autumn|winter|daily|weekly|before|after|until|since|within)\b|\d{1,2}[:.]\d\d/i;

const ANSWER_TYPES: readonly AnswerType[] = [
  {
    asks: /\b(?:how (?:many|much|long|far|often|old|large|big|high|deep|fast|heavy|tall|wide)|what (?:is the )?(?:number|percentage|size|weight|distance|temperature|price|cost|limit))\b/i,
    shows: (sentence) => NUMBER.test(sentence),
  },
  {
    asks: /\b(?:when|what year|which year|what date|what time|since when|until when|what day|which month)\b/i,
    shows: (sentence) => TIME.test(sentence) || /\d/.test(sentence),
  },
  { asks: /\b(?:who|whom|whose)\b/i, shows: hasNewName },
  {
    asks: /\bwhere\b/i,
    shows: (sentence, question) =>
      hasNewName(sentence, question) ||
      /\b(?:in|at|on|under|behind|near|beside|between|inside|outside|above|below)\b/i.test(sentence),
  },
  {
    asks: /\b(?:why|what caused|reason)\b/i,
    shows: (sentence) =>
      /\b(?:because|since|due|so that|in order|therefore|caused?|reason|to avoid|to prevent|otherwise)\b/i.test(
        sentence,
      ),
  },
];

/** How much a sentence that shows the kind of answer gains over one that does not. */
const TYPE_GAIN = 0.25;
const CONTEXT_SHARE = 0.5;
const LINK_SHARE = 0.4;
const RANK_LOSS = 0.03;
const EMBEDDER_SHARE = 0.2;
/** So many of the best get a second opinion. */
const SECOND_LOOK = 12;

/** The sentences of the hits that answer the question best, best first. Empty when no hit has a word of it. */
export async function bestQuotes(
  question: string,
  hits: readonly Hit[],
  options: QuoteOptions = {},
): Promise<readonly Quote[]> {
  const { limit = 5, idf, embedder, signal } = options;
  const asked = weigh(question, hits, idf);
  const types = ANSWER_TYPES.filter(({ asks }) => asks.test(question));
  const scored = new Map<string, Scored>();
  hits.forEach((hit, rank) => {
    for (const candidate of scoreHit(hit, rank, asked, types)) {
      const key = `${hit.versionId} ${candidate.start + hit.charStart}`;
      if ((scored.get(key)?.score ?? -1) < candidate.score) scored.set(key, candidate);
    }
  });
  const sorted = [...scored.values()].toSorted(byScore);
  const withWords = sorted.filter(({ score }) => score > 0);
  if (embedder === undefined) return withWords.slice(0, limit).map(toQuote);
  // Without enough sentences that share a word, those of the best hits are looked at, too: they may say it in others.
  const best = sorted.slice(0, Math.max(SECOND_LOOK, limit));
  return (await lookAgain(question, best, withWords, embedder, signal)).slice(0, limit).map(toQuote);
}

interface Scored {
  readonly hit: Hit;
  readonly start: number;
  readonly end: number;
  readonly score: number;
}

function byScore(a: Scored, b: Scored): number {
  return b.score - a.score || a.start - b.start;
}

interface Asked {
  readonly weights: ReadonlyMap<string, number>;
  readonly total: number;
  readonly forms: ReadonlySet<string>;
}

/** The telling words of the question by their rarity: in the documents where that is known, else among the hits. */
function weigh(question: string, hits: readonly Hit[], idf: ReadonlyMap<string, number> | undefined): Asked {
  const weights = new Map<string, number>();
  let passages: readonly ReadonlySet<string>[] | undefined;
  for (const term of queryTerms(question)) {
    const form = formOf(term);
    const known = idf?.get(form);
    if (known === undefined) {
      passages ??= hits.map((hit) => formsOf(hit.text));
      const frequency = passages.filter((forms) => forms.has(form)).length;
      weights.set(form, inverseFrequency(frequency, Math.max(passages.length, 10)));
    } else weights.set(form, known);
  }
  const forms = new Set([...words(question)].map(({ form }) => form));
  return { weights, total: [...weights.values()].reduce((sum, weight) => sum + weight, 0), forms };
}

function* scoreHit(hit: Hit, rank: number, asked: Asked, types: readonly AnswerType[]): Generator<Scored> {
  if (asked.total === 0) return;
  const headings = new Set([hit.title, ...hit.headingPath].map((heading) => heading.toLowerCase()));
  const around = matched(`${hit.title} ${hit.headingPath.join(" ")}`, asked.weights);
  let section: ReadonlySet<string> = new Set();
  for (const paragraph of paragraphs(hit.text, 0, hit.text.length)) {
    const text = hit.text.slice(paragraph.start, paragraph.end);
    const own = matched(text, asked.weights);
    if (isHeading(text, headings)) {
      section = own;
      continue;
    }
    const context = sum(new Set([...around, ...section, ...own]), asked.weights);
    let former: ReadonlySet<string> = new Set();
    let formerAsks = false;
    const spans = sentences(hit.text, paragraph.start, paragraph.end);
    for (const [at, span] of spans.entries()) {
      const sentence = hit.text.slice(span.start, span.end);
      const found = matched(sentence, asked.weights);
      const words = sum(found, asked.weights);
      const linked = sum(new Set([...found, ...former]), asked.weights) - words;
      const score = words + CONTEXT_SHARE * context + (formerAsks ? 1 : LINK_SHARE) * linked;
      const next = spans[at + 1];
      const isLabel =
        isHeading(sentence, headings) ||
        (next !== undefined && TABLE_RULE.test(hit.text.slice(next.start, next.end)));
      if (!isLabel) {
        const relevance =
          (score / (asked.total * (1 + CONTEXT_SHARE))) * (1 - RANK_LOSS * Math.min(rank, 20));
        yield { hit, ...span, score: relevance * fitness(sentence, asked, types) };
      }
      former = found;
      formerAsks = sentence.endsWith("?");
    }
  }
}

/** The line between the head of a table and its rows. */
const TABLE_RULE = /^\|?[\s:|-]+\|?$/;

/** A short line without an end is a heading or a label, whatever the document calls it. */
function isHeading(text: string, known: ReadonlySet<string>): boolean {
  if (/^#{1,6}\s/.test(text) && !text.includes("\n")) return true;
  if (
    text.length <= 80 &&
    /[\p{L}\p{N})]$/u.test(text) &&
    !/[|:;,]|^[-*•\d]/.test(text) &&
    text.split(/\s+/).length <= 10
  )
    return true;
  return known.has(headingText(text).toLowerCase()) || TABLE_RULE.test(text);
}

/** What is no statement answers nothing; what shows the kind of answer that is asked for is likelier to be it. */
function fitness(sentence: string, asked: Asked, types: readonly AnswerType[]): number {
  let fit = 1;
  if (sentence.endsWith("?")) fit *= 0.5;
  if (![...words(sentence)].some(({ text, form }) => !asked.forms.has(form) && !isStopWord(text))) fit *= 0.5;
  const count = sentence.length / 6;
  if (count > 60) fit *= Math.sqrt(60 / count);
  for (const { shows } of types) fit *= shows(sentence, asked.forms) ? 1 + TYPE_GAIN : 1 - TYPE_GAIN;
  return fit;
}

async function lookAgain(
  question: string,
  best: readonly Scored[],
  otherwise: readonly Scored[],
  embedder: Embedder,
  signal: AbortSignal | undefined,
): Promise<readonly Scored[]> {
  if (best.length === 0) return best;
  try {
    const [[asked], told] = await Promise.all([
      embedder.embed([question], "query", { signal }),
      embedder.embed(
        best.map(({ hit, start, end }) => hit.text.slice(start, Math.min(end, start + 1000))),
        "document",
        { signal },
      ),
    ]);
    const query = normalise(asked, embedder);
    return best
      .map((candidate, at) => {
        const opinion = Math.max(0, dot(query, normalise(told[at], embedder)));
        return { ...candidate, score: candidate.score + EMBEDDER_SHARE * opinion };
      })
      .toSorted(byScore);
  } catch (error) {
    if (signal?.aborted === true) throw toLlmError(error, "aborted");
    // A second opinion only: the first stands.
    return otherwise;
  }
}

function toQuote({ hit, start, end, score }: Scored): Quote {
  const { documentId, versionId, chunkId, collectionId, name, title, headingPath } = hit;
  const charStart = hit.charStart + start;
  const page = hit.pages.findLast((candidate) => candidate.charStart <= charStart)?.page ?? hit.page;
  return {
    documentId,
    versionId,
    chunkId,
    collectionId,
    name,
    title,
    page,
    charStart,
    charEnd: hit.charStart + end,
    quote: hit.text.slice(start, end),
    headingPath,
    score: hit.score,
    relevance: score,
  };
}

function hasNewName(sentence: string, question: ReadonlySet<string>): boolean {
  let first = true;
  for (const word of words(sentence)) {
    if (!first && /^\p{Lu}/u.test(word.text) && !question.has(word.form)) return true;
    first = false;
  }
  return false;
}

function formsOf(text: string): ReadonlySet<string> {
  return new Set([...words(text)].map(({ form }) => form));
}

function matched(text: string, weights: ReadonlyMap<string, number>): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { form } of words(text)) if (weights.has(form)) found.add(form);
  return found;
}

function sum(forms: ReadonlySet<string>, weights: ReadonlyMap<string, number>): number {
  let total = 0;
  for (const form of forms) total += weights.get(form) ?? 0;
  return total;
}
