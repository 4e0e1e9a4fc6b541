/** One question: search, quotes at once, then a model's answer with every sentence checked against its sources. */
import type { ChatEvent, FinishEvent, Registry } from "@enginehouse/llm-core";

import { fault, toProblem } from "./api/problem.ts";
import type { AnswerRequest, Citation, Hit as ApiHit, ModelChoice, Notice } from "./api/schemas.ts";
import {
  type Attribution,
  type Attributor,
  createAttributor,
  type SentenceVerdict,
} from "./cite/attribute.ts";
import type { EmbedderSource } from "./embedder.ts";
import { buildPrompt, type Prompt, type Turn } from "./prompt.ts";
import { bestQuotes, type Quote } from "./retrieve/quotes.ts";
import type { Hit, Searcher, SearchResult } from "./retrieve/search.ts";
import type { RunContext, RunOutcome } from "./runs/runs.ts";
import type { Store } from "./store/store.ts";
import { type Attempt, tryTargets } from "./targets.ts";

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

  const [result, empty] = await Promise.all([search(parts, query, context), noticeOfState(parts, request)]);
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

/** An `LlmError`, or a fault of the service. */
type Fault = Error & { readonly hint?: string | undefined };

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
  const notice = noticeOfEnd(attribution, finish);
  for (const one of notice) emit({ type: "notice", notice: one });
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

function passOn(
  event: ChatEvent,
  attempt: Attempt,
  emit: RunContext["emit"],
  attributor: Attributor | undefined,
): void {
  if (event.type === "text-delta" && event.text !== "") {
    emit({ type: "text.delta", text: event.text });
    attributor?.push(event.text);
  } else if (event.type === "reasoning-delta" && event.text !== "") {
    emit({ type: "reasoning.delta", text: event.text });
  } else if (event.type === "status") {
    const { status: state, progress } = event;
    const known = progress === undefined ? {} : { progress };
    emit({ type: "attempt.status", attempt: attempt.number, state, ...known });
  } else if (event.type === "start") {
    for (const { message } of event.warnings) emit({ type: "notice", notice: { code: "warning", message } });
  }
}

function emitSentence(verdict: SentenceVerdict, emit: RunContext["emit"]): void {
  const { start, end, supported, citations, markers } = verdict;
  emit({
    type: "sentence",
    start,
    end,
    ...(supported === undefined ? {} : { supported }),
    citations: citations.map(({ n }) => n),
    markers: markers.map(({ to, ...marker }) => (to === undefined ? marker : { ...marker, to })),
  });
  for (const { support: _, score, page, headingPath, ...citation } of citations) {
    emit({
      type: "citation",
      citation: { ...citation, ...optionalPage(page), headingPath: [...headingPath], score: toScore(score) },
    });
  }
}

function emitFigures(
  finish: FinishEvent | undefined,
  target: ModelChoice,
  clock: { readonly started: number; readonly first: number },
  ended: number,
  emit: RunContext["emit"],
): void {
  const { inputTokens, outputTokens, cachedInputTokens } = finish?.usage ?? {};
  const total =
    inputTokens === undefined || outputTokens === undefined ? undefined : inputTokens + outputTokens;
  emit({
    type: "usage",
    usage: present({ inputTokens, outputTokens, totalTokens: total, cachedInputTokens }),
  });
  const seconds = (ended - clock.first) / 1000;
  // The first token is the start of the clock, so it is not among those that were timed.
  const timed = outputTokens === undefined || outputTokens < 2 || seconds <= 0 ? undefined : outputTokens - 1;
  emit({
    type: "metrics",
    ...withoutRef(target),
    timings: present({
      timeToFirstTokenMs: clock.first === 0 ? undefined : Math.round(clock.first - clock.started),
      tokensPerSecond: timed === undefined ? undefined : Math.round((timed / seconds) * 10) / 10,
    }),
  });
}

/** The best sentences, verbatim, each with its citation: no model is asked. */
function quoteAnswer(quotes: readonly Citation[], { emit }: RunContext): RunOutcome {
  let length = 0;
  for (const quote of quotes) {
    const text = `${length === 0 ? "" : "\n\n"}${quote.quote} [${quote.n}]`;
    const answerStart = length + (length === 0 ? 0 : 2);
    length += text.length;
    emit({ type: "text.delta", text });
    emit({
      type: "sentence",
      start: answerStart,
      end: length,
      supported: true,
      citations: [quote.n],
      markers: [],
    });
    emit({ type: "citation", citation: { ...quote, answerStart, answerEnd: length } });
  }
  return { mode: "quote" };
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

async function noticeOfState(
  { store }: AnswerParts,
  { collectionIds }: AnswerRequest,
): Promise<Notice | undefined> {
  const [{ documents, windows }, queued, running] = await Promise.all([
    store.status(),
    store.listJobs({ status: "queued" }),
    store.listJobs({ status: "running" }),
  ]);
  const concerns = [...queued, ...running].filter(
    (job) =>
      job.kind === "ingest" &&
      (collectionIds === undefined ||
        job.collectionId === undefined ||
        collectionIds.includes(job.collectionId)),
  );
  if (concerns.length > 0) {
    const one = concerns.length === 1;
    return {
      code: "still-indexing",
      message: `${concerns.length} document${one ? " is" : "s are"} still being read and ${one ? "was" : "were"} not searched.`,
      hint: "Ask again when it is done.",
    };
  }
  if (documents === 0 || windows === 0) {
    return {
      code: "no-documents",
      message: "There are no documents yet.",
      hint: "Add documents, then ask again.",
    };
  }
  return undefined;
}

const NOT_FOUND: Notice = {
  code: "not-in-documents",
  message: "Your documents do not contain this: no passage fits the question.",
  hint: "Ask with other words, or add a document that holds the answer.",
};
const FAR: Notice = {
  code: "not-in-documents",
  message: "Your documents hardly contain this: these are only the nearest sentences.",
  hint: "Ask with other words, or add a document that holds the answer.",
};
const NO_MODEL: Notice = {
  code: "no-model",
  message: "No model that can chat is installed, so the best sentences of your documents are quoted.",
  hint: "Get a model, then ask again.",
};

function modelsFailed(error: Fault, tried: number): Notice {
  const who = tried === 1 ? "The model could not answer" : `None of ${tried} models could answer`;
  return {
    code: "models-failed",
    message: `${who} (${error.message}), so the best sentences of your documents are quoted.`,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  };
}

function noticeOfEnd(attribution: Attribution | undefined, finish: FinishEvent | undefined): Notice[] {
  const notices: Notice[] = [];
  if (attribution?.nothingSupported === true) {
    notices.push({
      code: "not-in-documents",
      message: "Your documents do not contain this: no sentence of the answer is supported by them.",
      hint: "Trust the quotes, not the answer.",
    });
  }
  if (finish?.reason.unified === "length") {
    notices.push({
      code: "answer-cut",
      message: "The answer was cut at its limit of tokens.",
      hint: "Ask for less at once.",
    });
  }
  return notices;
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

export function toApiHit({ parent: _, pages: __, page, headingPath, score, ...hit }: Hit): ApiHit {
  return { ...hit, ...optionalPage(page), headingPath: [...headingPath], score: toScore(score) };
}

function citationOfQuote({ relevance: _, page, headingPath, score, ...quote }: Quote, n: number): Citation {
  return { n, ...quote, ...optionalPage(page), headingPath: [...headingPath], score: toScore(score) };
}

function toScore({ fused, lexical, dense }: Hit["score"]): ApiHit["score"] {
  return { fused, ...present({ lexical, dense }) };
}

function optionalPage(page: number | undefined): { page?: number } {
  return page === undefined ? {} : { page };
}

function withoutRef({ providerId, model, demonstration }: ModelChoice): Omit<ModelChoice, "ref"> {
  return { providerId, model, demonstration };
}

function isWord(event: ChatEvent): boolean {
  return (event.type === "text-delta" || event.type === "reasoning-delta") && event.text !== "";
}

function present<Value>(fields: Record<string, Value | undefined>): Record<string, Value> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Record<
    string,
    Value
  >;
}
