/** A model's answer: the targets in turn, the prompt for each, and every sentence with what supports it. */
import type { ChatEvent, ChatRequest, FinishEvent, Registry } from "@enginehouse/llm-core";

import { emitFigures, emitSentence, isWord, passOn, withoutRef } from "./answer-events.ts";
import { toProblem } from "./api/problem.ts";
import type { AnswerRequest, ModelChoice } from "./api/schemas.ts";
import { type Attributor, createAttributor } from "./cite/attribute.ts";
import type { Embedder } from "./embedder.ts";
import { type Fault, MAX_ANSWER, noModel, noticesOfEnd, type Waiting } from "./notices.ts";
import { buildPrompt, type Prompt, type Turn } from "./prompt.ts";
import type { Quote } from "./retrieve/quotes.ts";
import type { Searcher, SearchResult } from "./retrieve/search.ts";
import type { RunContext, RunOutcome } from "./runs/execute-run.ts";
import type { Store } from "./store/store.ts";
import { tryTargets } from "./targets.ts";

export interface AnswerParts {
  readonly registry: Registry;
  readonly store: Store;
  readonly searcher: Searcher;
  readonly embedder: () => Promise<Embedder | undefined>;
  /** Whether the embedder is a toy, whose likenesses mean nothing where no word agrees. */
  readonly weakEmbedder: () => Promise<boolean>;
  /** Earlier turns of a conversation, oldest first. */
  readonly history: (conversationId: string) => readonly Turn[];
  /** Jobs that cannot go on now. */
  readonly waiting: () => Waiting;
}

/** What the search gave the writer. */
interface Found {
  readonly result: SearchResult;
  readonly quotes: readonly Quote[];
  readonly history: readonly Turn[];
  readonly embedder: Embedder | undefined;
}

/** How it was written, or why nobody did. */
type Written =
  | { readonly outcome: RunOutcome; readonly error?: undefined }
  | { readonly outcome: undefined; readonly error: Fault };

/** Asks the targets in turn and checks every sentence as it comes. Throws when one breaks off after its first word. */
export async function writeAnswer(
  parts: AnswerParts,
  targets: readonly ModelChoice[],
  { request, emit, signal }: RunContext,
  { result, quotes, history, embedder }: Found,
): Promise<Written> {
  let attributor: Attributor | undefined;
  let clock = { started: 0, first: 0 };
  let finish: FinishEvent | undefined;
  let room = MAX_ANSWER;
  let tooLong = false;

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
        const taken = withinRoom(event, room);
        passOn(taken, attempt, emit, attributor);
        if (taken !== event) tooLong = true;
        else if ("text" in event && isWord(event)) room -= event.text.length;
        return tooLong ? "enough" : undefined;
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
  for (const notice of noticesOfEnd(attribution, finish, tooLong)) emit({ type: "notice", notice });
  const finishReason = tooLong ? "length" : finish?.reason.unified;
  return { outcome: { mode: "generate", finishReason } };
}

/** The same event, or the beginning of its text that still fits, no character halved. */
function withinRoom(event: ChatEvent, room: number): ChatEvent {
  if ((event.type !== "text-delta" && event.type !== "reasoning-delta") || event.text.length <= room)
    return event;
  const text = event.text.slice(0, room).replace(/[\uD800-\uDBFF]$/, "");
  return { ...event, text };
}

function chatRequest(target: ModelChoice, prompt: Prompt, { temperature, seed }: AnswerRequest): ChatRequest {
  return {
    model: target.model,
    messages: prompt.messages,
    maxTokens: prompt.maxTokens,
    // From sources the likeliest word is the best one.
    temperature: temperature ?? 0,
    ...(seed === undefined ? {} : { seed }),
    unsupported: "warn",
  };
}
