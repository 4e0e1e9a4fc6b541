/** One question: search, quotes at once, then a model's answer with every sentence checked against its sources. */
import type { FinishEvent, Registry } from "@enginehouse/llm-core";

import {
  citationOfQuote,
  emitFigures,
  emitSentence,
  isWord,
  passOn,
  quoteAnswer,
  toApiHit,
  withoutRef,
} from "./answer-events.ts";
import { fault, toProblem } from "./api/problem.ts";
import type { AnswerRequest, ModelChoice } from "./api/schemas.ts";
import { type Attributor, createAttributor } from "./cite/attribute.ts";
import type { EmbedderSource } from "./embedder.ts";
import {
  FAR,
  type Fault,
  modelsFailed,
  NO_MODEL,
  NOT_FOUND,
  noticesOfEnd,
  noticeOfState,
} from "./notices.ts";
import { buildPrompt, type Prompt, type Turn } from "./prompt.ts";
import { bestQuotes, type Quote } from "./retrieve/quotes.ts";
import type { Searcher, SearchResult } from "./retrieve/search.ts";
import type { RunContext, RunOutcome } from "./runs/runs.ts";
import type { Store } from "./store/store.ts";
import { tryTargets } from "./targets.ts";

export interface AnswerParts {
  readonly registry: Registry;
  readonly store: Store;
  readonly searcher: Searcher;
  readonly embedder: EmbedderSource;
  /** Whether the embedder is a toy, whose likenesses mean nothing where no word agrees. */
  readonly weakEmbedder: () => Promise<boolean>;
  /** Earlier turns of a conversation, oldest first. */
  readonly history: (conversationId: string) => readonly Turn[];
}

/** Passages that are read for one answer, unless the request says otherwise. */
const TOP_K = 8;
const QUOTES = 5;
/** Below this share of the question's words the documents hardly hold an answer. */
const LOW_COVERAGE = 0.3;

/** `targets` in the order they are tried; none of them is asked in quote mode. */
export async function answerQuestion(
  parts: AnswerParts,
  targets: readonly ModelChoice[],
  context: RunContext,
): Promise<RunOutcome> {
  const { request, emit, signal } = context;
  const mode = request.mode ?? "auto";
  const history = parts.history(context.conversationId);
  const started = performance.now();
  const query = standalone(request.question, history);
  if (query !== request.question) emit({ type: "query.rewritten", query });

  const [result, empty] = await Promise.all([
    search(parts, query, context),
    noticeOfState(parts.store, request),
  ]);
  const embedder = await parts.embedder();
  const { idf } = result;
  const quotes = await bestQuotes(query, result.hits, { limit: QUOTES, idf, embedder, signal });
  const cited = quotes.map((quote, index) => citationOfQuote(quote, index + 1));
  emit({
    type: "retrieval.completed",
    hits: result.hits.map(toApiHit),
    quotes: cited,
    mode: result.mode,
    coverage: result.coverage,
    warnings: [...result.warnings],
    retrievalMs: Math.round(performance.now() - started),
  });
  signal.throwIfAborted();
  if (empty !== undefined) emit({ type: "notice", notice: empty });

  const nothing = result.hits.length === 0 || (quotes.length === 0 && (await parts.weakEmbedder()));
  if (nothing && empty?.code !== "no-documents") emit({ type: "notice", notice: NOT_FOUND });
  if (mode === "quote") {
    if (!nothing && result.coverage < LOW_COVERAGE) emit({ type: "notice", notice: FAR });
    return quoteAnswer(cited, context);
  }
  // Without a source there is nothing to answer from: only who asks for it gets a model's own words.
  if (nothing && mode === "auto") return { mode: "quote" };
  if (targets.length === 0) {
    if (mode === "generate") throw noModel();
    emit({ type: "notice", notice: NO_MODEL });
    return quoteAnswer(cited, context);
  }
  const written = await writeAnswer(parts, targets, context, { result, quotes, history });
  if (written.outcome !== undefined) return written.outcome;
  if (mode === "generate") throw written.error;
  emit({ type: "notice", notice: modelsFailed(written.error, targets.length) });
  return quoteAnswer(cited, context);
}

interface Found {
  readonly result: SearchResult;
  readonly quotes: readonly Quote[];
  readonly history: readonly Turn[];
}

type Written =
  | { readonly outcome: RunOutcome; readonly error?: undefined }
  | { readonly outcome: undefined; readonly error: Fault };

async function writeAnswer(
  parts: AnswerParts,
  targets: readonly ModelChoice[],
  { request, emit, signal }: RunContext,
  { result, quotes, history }: Found,
): Promise<Written> {
  const embedder = await parts.embedder();
  let attributor: Attributor | undefined;
  let clock = { started: 0, first: 0 };
  let finish: FinishEvent | undefined;

  const attempts = tryTargets(
    parts.registry,
    targets,
    {
      started({ number, target }) {
        clock = { started: performance.now(), first: 0 };
        emit({ type: "attempt.started", attempt: number, ...withoutRef(target) });
      },
      async prepare({ target }, provider, either) {
        const prompt = await buildPrompt({
          question: request.question,
          history,
          hits: result.hits,
          quotes,
          widen: parts.searcher.widen,
          target,
          provider,
          signal: either,
          maxTokens: request.maxTokens,
        });
        emit({ type: "context.budget", context: prompt.context });
        attributor = createAttributor({
          question: request.question,
          passages: prompt.passages,
          frequencies: parts.store.wordFrequencies,
          embedder,
          signal,
          onSentence: (verdict) => emitSentence(verdict, emit),
        });
        return chatRequest(target, prompt, request);
      },
      event(attempt, event) {
        if (event.type === "finish") finish = event;
        else if (clock.first === 0 && isWord(event)) clock.first = performance.now();
        passOn(event, attempt, emit, attributor);
      },
      failed({ number, target }, error) {
        const { providerId, model } = target;
        emit({ type: "attempt.failed", attempt: number, providerId, model, error: toProblem(error) });
      },
    },
    signal,
  );
  const outcome = await attempts.catch(async (error: unknown) => {
    // What was written stays, and its last sentence is judged like the others.
    await attributor?.finish().catch(() => undefined);
    throw error;
  });
  if (outcome.answered === undefined) {
    const [first] = outcome.errors;
    return { outcome: undefined, error: first ?? noModel() };
  }
  const { target } = outcome.answered;
  const ended = performance.now();
  const attribution = await attributor?.finish();
  emitFigures(finish, target, clock, ended, emit);
  for (const notice of noticesOfEnd(attribution, finish)) emit({ type: "notice", notice });
  return { outcome: { mode: "generate", finishReason: finish?.reason.unified } };
}

function chatRequest(target: ModelChoice, prompt: Prompt, { temperature, seed }: AnswerRequest) {
  return {
    model: target.model,
    messages: prompt.messages,
    maxTokens: prompt.maxTokens,
    // From sources the likeliest word is the best one.
    temperature: temperature ?? 0,
    ...(seed === undefined ? {} : { seed }),
    unsupported: "warn" as const,
  };
}

async function search(
  parts: AnswerParts,
  query: string,
  { request, signal }: RunContext,
): Promise<SearchResult> {
  const { mode, topK = TOP_K, minScore, filter } = request.retrieval ?? {};
  const { collectionIds } = request;
  return parts.searcher.search({
    query,
    collectionIds,
    documentIds: filter?.documentIds,
    mode,
    topK,
    minScore,
    signal,
  });
}

function noModel(): Fault {
  return fault({
    status: 409,
    code: "no-model",
    detail: "No model that can chat is installed.",
    hint: "Get a model, or ask with mode `quote`.",
    retryable: false,
  });
}

/** A short question that follows another one borrows its words: "and when?" finds nothing by itself. */
function standalone(question: string, history: readonly Turn[]): string {
  const last = history.at(-1);
  return last === undefined || question.trim().split(/\s+/).length > 6
    ? question
    : `${last.question} ${question}`;
}
