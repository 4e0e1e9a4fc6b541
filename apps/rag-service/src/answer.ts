/** One question: search, quotes at once, then a model's answer with every sentence checked against its sources. */
import { citationOfQuote, quoteAnswer, toApiHit } from "./answer-events.ts";
import type { ModelChoice } from "./api/schemas.ts";
import { FAR, modelsFailed, NO_MODEL, noModel, NOT_FOUND, noticeOfState } from "./notices.ts";
import type { Turn } from "./prompt.ts";
import { bestQuotes } from "./retrieve/quotes.ts";
import type { SearchResult } from "./retrieve/search.ts";
import type { RunContext, RunOutcome } from "./runs/execute-run.ts";
import { type AnswerParts, writeAnswer } from "./write-answer.ts";

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
    noticeOfState(parts.store, request, parts.waiting()),
  ]);
  const { idf } = result;
  // Words alone find the best sentences, too: an embedder that fails fails no answer.
  const embedder = await parts.embedder().catch(() => undefined);
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
  if (nothing && empty === undefined) emit({ type: "notice", notice: NOT_FOUND });
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
  const written = await writeAnswer(parts, targets, context, { result, quotes, history, embedder });
  if (written.outcome !== undefined) return written.outcome;
  if (mode === "generate") throw written.error;
  emit({ type: "notice", notice: modelsFailed(written.error, targets.length) });
  return quoteAnswer(cited, context);
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

/** A short question that follows another one borrows its words: "and when?" finds nothing by itself. */
function standalone(question: string, history: readonly Turn[]): string {
  const last = history.at(-1);
  return last === undefined || question.trim().split(/\s+/).length > 6
    ? question
    : `${last.question} ${question}`;
}
