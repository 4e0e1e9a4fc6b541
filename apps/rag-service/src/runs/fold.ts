/** A run is the sum of its events: what a reload shows is computed from what was sent, and cannot differ from it. */
import type { AnswerRequest, Attempt, Run, RunEvent } from "../api/schemas.ts";

/** What an answer may say on its way. How a run ends is said by the runs themselves. */
export type ProgressEvent = Exclude<RunEvent, { type: "run.completed" | "run.error" | "run.cancelled" }>;

export function openRun(
  runId: string,
  conversationId: string,
  request: AnswerRequest,
  createdAt: string,
): Run {
  const requestedMode = request.mode ?? "auto";
  return {
    runId,
    status: "running",
    question: request.question,
    requestedMode,
    mode: requestedMode === "quote" ? "quote" : "generate",
    conversationId,
    ...(request.collectionIds === undefined ? {} : { collectionIds: request.collectionIds }),
    answer: "",
    notices: [],
    citations: [],
    quotes: [],
    sentences: [],
    hits: [],
    timings: {},
    attempts: [],
    createdAt,
    lastEventId: 0,
  };
}

/** Changes `run` in place: a run has one owner, and an answer has thousands of events. */
export function foldEvent(run: Run, event: ProgressEvent, at: number): void {
  run.lastEventId += 1;
  switch (event.type) {
    case "run.started":
    case "query.rewritten":
    case "attempt.status":
      return;
    case "retrieval.completed":
      run.hits = event.hits;
      run.quotes = event.quotes;
      run.retrievalMode = event.mode;
      run.timings = { ...run.timings, retrievalMs: event.retrievalMs };
      return;
    case "notice":
      run.notices = [...run.notices, event.notice];
      if (event.notice.code === "no-model" || event.notice.code === "models-failed") run.mode = "quote";
      return;
    case "context.budget":
      run.context = event.context;
      return;
    case "attempt.started": {
      const { attempt, providerId, model, demonstration } = event;
      run.attempts = [...run.attempts, { attempt, providerId, model, demonstration, status: "running" }];
      startedAt.set(run, at);
      return;
    }
    case "attempt.failed":
      closeAttempt(run, at, "failed", event.error);
      return;
    case "reasoning.delta":
      run.reasoning = (run.reasoning ?? "") + event.text;
      nameWriter(run);
      return;
    case "text.delta":
      nameWriter(run);
      run.answer += event.text;
      return;
    case "sentence": {
      const { type: _, ...sentence } = event;
      run.sentences.push(sentence);
      if (sentence.supported !== undefined) {
        const { claims, supported } = claimsOf.get(run) ?? { claims: 0, supported: 0 };
        const now = { claims: claims + 1, supported: supported + Number(sentence.supported) };
        claimsOf.set(run, now);
        run.supportedShare = now.supported / now.claims;
      }
      return;
    }
    case "citation":
      run.citations.push(event.citation);
      return;
    case "usage":
      run.usage = event.usage;
      return;
    case "metrics": {
      const { providerId, model, demonstration, timings } = event;
      run.model = { providerId, model, ref: `${providerId}/${model}`, demonstration };
      run.timings = { ...run.timings, ...timings };
      return;
    }
  }
}

/** Who wrote is known from the first word on, also when the answer breaks off. */
function nameWriter(run: Run): void {
  const last = run.attempts.at(-1);
  if (run.model !== undefined || last?.status !== "running") return;
  const { providerId, model, demonstration } = last;
  run.model = { providerId, model, ref: `${providerId}/${model}`, demonstration };
}

export function closeAttempt(
  run: Run,
  at: number,
  status: Attempt["status"],
  error?: Attempt["error"],
): void {
  const last = run.attempts.at(-1);
  if (last?.status !== "running") return;
  const durationMs = Math.round(at - (startedAt.get(run) ?? at));
  const closed = { ...last, status, durationMs, ...(error === undefined ? {} : { error }) };
  run.attempts = [...run.attempts.slice(0, -1), closed];
}

const startedAt = new WeakMap<Run, number>();
/** Counted as they come: an answer may have thousands of sentences. */
const claimsOf = new WeakMap<Run, { readonly claims: number; readonly supported: number }>();
