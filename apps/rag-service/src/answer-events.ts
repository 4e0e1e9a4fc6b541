/** What a model, a verdict or a quote says, as events of the run. */
import type { ChatEvent, FinishEvent } from "@enginehouse/llm-core";

import type { Citation, Hit as ApiHit, ModelChoice } from "./api/schemas.ts";
import type { Attributor, SentenceVerdict } from "./cite/attribute.ts";
import type { Quote } from "./retrieve/quotes.ts";
import type { Hit } from "./retrieve/search.ts";
import type { RunContext, RunOutcome } from "./runs/execute-run.ts";
import type { Attempt } from "./targets.ts";

export function passOn(
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

export function emitSentence(verdict: SentenceVerdict, emit: RunContext["emit"]): void {
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

export function emitFigures(
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
export function quoteAnswer(quotes: readonly Citation[], { emit }: RunContext): RunOutcome {
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

export function toApiHit({ parent: _, pages: __, page, headingPath, score, ...hit }: Hit): ApiHit {
  return { ...hit, ...optionalPage(page), headingPath: [...headingPath], score: toScore(score) };
}

export function citationOfQuote(
  { relevance: _, page, headingPath, score, ...quote }: Quote,
  n: number,
): Citation {
  return { n, ...quote, ...optionalPage(page), headingPath: [...headingPath], score: toScore(score) };
}

function toScore({ fused, lexical, dense }: Hit["score"]): ApiHit["score"] {
  return { fused, ...present({ lexical, dense }) };
}

function optionalPage(page: number | undefined): { page?: number } {
  return page === undefined ? {} : { page };
}

export function withoutRef({ providerId, model, demonstration }: ModelChoice): Omit<ModelChoice, "ref"> {
  return { providerId, model, demonstration };
}

export function isWord(event: ChatEvent): boolean {
  return (event.type === "text-delta" || event.type === "reasoning-delta") && event.text !== "";
}

function present<Value>(fields: Record<string, Value | undefined>): Record<string, Value> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Record<
    string,
    Value
  >;
}
