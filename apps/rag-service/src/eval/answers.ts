import { generate, type Provider } from "@enginehouse/llm-core";

import type { ModelChoice } from "../api/schemas.ts";
import { createAttributor } from "../cite/attribute.ts";
import type { Embedder } from "../embedder.ts";
import { buildPrompt } from "../prompt.ts";
import { bestQuotes } from "../retrieve/quotes.ts";
import { createSearcher, type Hit } from "../retrieve/search.ts";
import type { Store } from "../store/store.ts";
import { contains, type EvaluationSet, mean, share } from "./measure.ts";

/** How a model's answers fare when the service checks them. Shares of 0 to 1. */
export interface AnswerScores {
  readonly questions: number;
  /** The answer holds the gold answer. */
  readonly right: number;
  /** Of the right answers, those with a supported sentence, and of these, those that cite the right document. */
  readonly rightSupported: number;
  readonly rightDocument: number;
  /** Of the wrong answers, those that are flagged: nothing supported, or the model says that it does not know. */
  readonly wrongFlagged: number;
  /** Of the questions that the documents do not answer, those whose answer is flagged. */
  readonly unanswerableFlagged: number;
  /** Of the answerable questions whose document was taken away, those whose answer is flagged. */
  readonly withoutSourceFlagged: number;
  /** Answers in which the model wrote a marker. */
  readonly markers: number;
  /** Mean share of supported sentences. */
  readonly supported: number;
}

export async function measureAnswers(options: {
  readonly set: EvaluationSet;
  readonly store: Store;
  readonly embedder: Embedder | undefined;
  readonly provider: Provider;
  readonly target: ModelChoice;
  /** Passages in the prompt: two keep a small model quick. */
  readonly passages?: number | undefined;
  readonly onAnswer?: ((question: string, answer: string, flagged: boolean) => void) | undefined;
}): Promise<AnswerScores> {
  const { set, store, embedder, provider, target, passages = 2, onAnswer } = options;
  const searcher = createSearcher({ store, embedder: () => embedder });
  const names = new Map(set.files.map(({ id, file }) => [id, file]));

  async function ask(question: string, without?: string) {
    const found = await searcher.search({ query: question, topK: 20 });
    const hits = found.hits.filter(({ name }) => name !== without).slice(0, passages);
    const quotes = await bestQuotes(question, hits, { idf: found.idf, embedder });
    const { signal } = new AbortController();
    const prompt = await buildPrompt({
      question,
      history: [],
      hits,
      quotes,
      widen: keep,
      target,
      provider,
      signal,
      maxTokens: LONGEST_ANSWER,
    });
    const { text } = await generate(provider, {
      model: target.model,
      messages: prompt.messages,
      maxTokens: prompt.maxTokens,
      temperature: 0,
      unsupported: "warn",
    });
    const attributor = createAttributor({
      question,
      passages: prompt.passages,
      embedder,
      frequencies: store.wordFrequencies,
    });
    attributor.push(text);
    const attribution = await attributor.finish();
    const flagged = attribution.supported === 0;
    onAnswer?.(question, text, flagged);
    return { text, attribution, flagged };
  }

  const answered = [];
  for (const { question, answers, document } of set.answerable) {
    const { text, attribution, flagged } = await ask(question);
    const cited = attribution.sentences.flatMap(({ citations }) => citations.map(({ name }) => name));
    const markers = attribution.sentences.some((sentence) => sentence.markers.length > 0);
    answered.push({
      right: contains(text, answers),
      flagged,
      document: cited.includes(names.get(document) ?? ""),
      markers,
      share: attribution.share ?? 0,
    });
  }
  const unanswerable = [];
  for (const { question } of set.unanswerable) unanswerable.push(await ask(question));
  const removed = [];
  for (const { question, document } of set.answerable.filter((_question, at) => at % 3 === 0))
    removed.push(await ask(question, names.get(document)));

  const right = answered.filter((answer) => answer.right);
  return {
    questions: answered.length,
    right: share(answered, (answer) => answer.right),
    rightSupported: share(right, ({ flagged }) => !flagged),
    rightDocument: share(
      right.filter(({ flagged }) => !flagged),
      ({ document }) => document,
    ),
    wrongFlagged: share(
      answered.filter((answer) => !answer.right),
      ({ flagged }) => flagged,
    ),
    unanswerableFlagged: share(unanswerable, ({ flagged }) => flagged),
    withoutSourceFlagged: share(removed, ({ flagged }) => flagged),
    markers: share(answered, ({ markers }) => markers),
    supported: mean(answered.map((answer) => answer.share)),
  };
}

/** Small models do not stop by themselves. */
const LONGEST_ANSWER = 64;

/** The windows as they are: a wider passage would make the comparison with others unfair. */
function keep(hit: Hit): Promise<Hit> {
  return Promise.resolve(hit);
}
